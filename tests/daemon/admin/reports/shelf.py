"""Reports of a shop of teas, of values alone, for tests of what is drawn and written."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from daemon.report import Column, Picture, Report, Unit
from daemon.sql import Statement

FIRST = date(2026, 10, 26)
COLUMNS = (
    Column("day", "Day", Unit.DAY), Column("tea", "Tea"), Column("currency", "Currency"),
    Column("cups", "Cups", Unit.COUNT), Column("pots", "Pots", Unit.COUNT),
    Column("takings", "Takings", Unit.MONEY, currency="currency"), Column("part", "Part", Unit.SHARE),
    Column("direction", "Unusually"), Column("low", "Usual from", Unit.COUNT), Column("high", "Usual to", Unit.COUNT),
    Column("open", "Not over", Unit.YES_NO), Column("at", "At", Unit.INSTANT),
)  # fmt: skip
STATEMENT = Statement("teas", "SELECT 1", "reports.sql:teas")


def report(picture: Picture | None = None, **more: Any) -> Report:
    values: dict[str, Any] = {"columns": COLUMNS, "picture": picture, "made_by": "brew", **more}
    return Report("Teas", "What was drunk.", STATEMENT, **values)


def row(day: int | date = 0, **values: Any) -> dict[str, Any]:
    """Of so many days after FIRST; what is not given is null."""
    at = day if isinstance(day, date) else FIRST + timedelta(days=day)
    return {**dict.fromkeys(column.name for column in COLUMNS), "day": at, **values}
