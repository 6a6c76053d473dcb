"""A report as CSV (RFC 4180), safe to open in a spreadsheet. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from daemon.admin.reports.cells import plain
from daemon.admin.reports.chosen import Days
from daemon.admin.reports.reading import Rows
from daemon.report import Report, Unit

BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
LINES_AT_ONCE = 500


def lines(report: Report, rows: Rows) -> Iterator[str]:
    """The heads, then the rows, some hundred lines at a time."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([guarded(column.title) for column in report.columns])
    for number, row in enumerate(rows, 1):
        writer.writerow(
            [guarded(text) if column.unit is Unit.TEXT else text
             for column in report.columns for text in (plain(column, row),)]
        )  # fmt: skip
        if number % LINES_AT_ONCE == 0:
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    yield out.getvalue()


def guarded(text: str) -> str:
    """What people wrote and a spreadsheet would compute gets an apostrophe in front (OWASP, CSV Injection)."""
    return f"'{text}" if text.startswith(BEGINS_A_FORMULA) else text


def file_name(suite: str, name: str, days: Days | None, today: str) -> str:
    """`productivity-active_people-2026-11-01-2026-11-28.csv`; of things as they are now, with the day it is."""
    return f"{suite}-{name}-{f'{days.first}-{days.last}' if days else today}.csv"
