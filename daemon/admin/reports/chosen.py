"""Which days of a report somebody asks for. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from pydantic import BeforeValidator

from daemon.admin.models import FIRST_YEAR, LAST_YEAR
from daemon.report import Report

LONGEST_DAYS = 3660
ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, slots=True)
class Days:
    """Both included."""

    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"


def _written_out(value: object) -> object:
    """ISO 8601; an empty field of a form is none. Raises `ValueError`."""
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not ISO_DAY.fullmatch(value):
        raise ValueError("write a day such as 2026-11-22")
    if not FIRST_YEAR <= int(value[:4]) <= LAST_YEAR:
        raise ValueError(f"choose a year from {FIRST_YEAR} to {LAST_YEAR}")
    return date.fromisoformat(value)


Day = Annotated[date | None, BeforeValidator(_written_out)]


def chosen(report: Report, first: date | None, last: date | None, today: date) -> Days | None:
    """The days asked for; where an end is not given, the report's usual number of them, to `today` if neither is.

    None for a report of things as they are now. Raises `ValueError` for days that make no range.
    """
    if report.days is None:
        return None
    usual = timedelta(days=report.days - 1)
    if last is None:
        last = today if first is None or first <= today else first + usual
    if first is None:
        first = last - usual
    if first > last:
        raise ValueError(f"from: {first} is after until, {last}: swap them")
    if (last - first).days >= LONGEST_DAYS:
        raise ValueError(f"from: {first} is more than {LONGEST_DAYS} days before {last}: choose fewer")
    return Days(first, last)
