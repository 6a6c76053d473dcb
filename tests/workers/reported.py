"""What a report of a suite has to say of some days, as the dashboard reads it."""

from __future__ import annotations

from datetime import date
from typing import Any

import asyncpg

from daemon.admin.reports.cells import plain
from daemon.admin.reports.chosen import Days
from daemon.admin.reports.reading import read
from daemon.report import Report


async def reported(
    connection: asyncpg.Connection, suite: str, report: Report, first: date, last: date, settings: object = None
) -> list[dict[str, Any]]:
    """Its rows; `first` and `last` are not looked at by a report of things as they are now."""
    days = None if report.days is None else Days(first, last)
    return [dict(row) for row in (await read(connection, suite, report, days, settings, 10_000)).rows]


def cells(report: Report, row: dict[str, Any], *names: str) -> list[str]:
    """As programs are given them."""
    return [plain(report.column(name), row) for name in names]
