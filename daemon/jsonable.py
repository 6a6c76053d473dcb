"""Values to JSON: what a run reports, its arguments and its cursor."""

from __future__ import annotations

import json
import re
import reprlib
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


def to_json(value: object) -> str:
    """JSON text, keys as given. Decimal stays exact as text, instants are ISO 8601, durations seconds.

    Raises `TypeError` for what has no such form, naming its type, and `ValueError` for NaN and infinity.
    """
    text = json.dumps(value, default=_plain, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return storable(ESCAPED_NUL.sub("\\1\ufffd", text) if "\\u0000" in text else text)


def storable(text: str) -> str:
    """Text as PostgreSQL can keep it: NUL and lone surrogates are replaced."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def keeps(json_text: str) -> bool:
    """Whether PostgreSQL can keep it as it is: no NUL and no lone surrogate in any string of it."""
    return storable(json_text) == json_text and not ESCAPED_NUL.search(json_text)


def number(seconds: float | timedelta) -> int | float:
    """Seconds for JSON: whole ones without a decimal point, others to the microsecond."""
    total = seconds.total_seconds() if isinstance(seconds, timedelta) else seconds
    return int(total) if float(total).is_integer() else round(total, 6)


def _plain(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Decimal | UUID):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    raise TypeError(f"a {type(value).__name__} cannot be kept as JSON: {reprlib.repr(value)}")
