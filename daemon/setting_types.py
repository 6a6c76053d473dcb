"""What sections of the settings are made of: durations as people write them, and a base that refuses unknown keys."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d)?\s*")


def parse_duration(value: object) -> object:
    """`30`, `"30s"`, `"10m"`, `"6h"`, `"31d"` → timedelta. Raises `ValueError` for other text."""
    if isinstance(value, timedelta):
        return value
    seconds = float("nan")
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = value
    elif isinstance(value, str) and (match := DURATION.fullmatch(value)):
        seconds = float(match[1]) * UNITS[match[2] or "s"]
    try:
        return timedelta(seconds=seconds)
    except (ValueError, OverflowError):  # not a number, infinite, or longer than time itself
        raise ValueError('write a duration as seconds or text such as "30s", "10m", "6h"') from None


Duration = Annotated[timedelta, BeforeValidator(parse_duration), Field(ge=timedelta(0))]
PositiveDuration = Annotated[timedelta, BeforeValidator(parse_duration), Field(gt=timedelta(0))]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
