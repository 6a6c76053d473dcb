"""Reports of the suites: a picture where one would rather look than read, its table, and a way to take it along."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from urllib.parse import urlencode

import asyncpg
from fastapi import APIRouter
from fastapi.responses import Response

from daemon.admin.access import Caller, Viewer
from daemon.admin.api.reports import First, Last, Part, days_of, today_of
from daemon.admin.pages import page_for
from daemon.admin.problems import Problematic
from daemon.admin.reports.cells import plain, told
from daemon.admin.reports.chosen import Days
from daemon.admin.reports.drawing import Drawing, drawn
from daemon.admin.reports.reading import Found, Maker, ReportFailed, makers, read
from daemon.admin.state import AdminState, State
from daemon.naming import did_you_mean
from daemon.report import FIGURES, Report

MOST_ROWS, MOST_IN_TABLE = 5000, 400
PATIENCE = 10.0
"""Seconds in which a page begins to read reports: one that is slow must not keep the others' readers for ever."""
SPANS = (7, 28, 90, 365)

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Shown:
    """One report on the page. `error`: why it has no rows, where that is not because there are none."""

    name: str
    report: Report
    days: Days | None
    found: Found
    maker: Maker
    error: str | None

    @cached_property
    def drawing(self) -> Drawing:
        return drawn(self.report, self.found.rows)

    @property
    def table(self) -> list[list[tuple[str, str]]]:
        """Of each cell what people read and what programs do."""
        return [
            [(told(column, row), plain(column, row)) for column in self.report.columns]
            for row in self.found.rows[:MOST_IN_TABLE]
        ]

    @property
    def of_figures(self) -> list[bool]:
        """Which columns hold figures, which stand at the right."""
        return [column.unit in FIGURES for column in self.report.columns]


@router.get("/reports")
async def first_reports(state: State, caller: Viewer, first: First = None, last: Last = None) -> Response:
    """Those of the first suite that has any."""
    suite = next(iter(state.reports), None)
    if suite is None:
        return page_for(caller, "reports.html", "Reports", suites=(), suite=None, reports=[])
    return await reports_page(state, caller, suite, first, last)


@router.get("/reports/{suite}")
async def suite_reports(
    state: State, caller: Viewer, suite: Part, first: First = None, last: Last = None
) -> Response:  # fmt: skip
    if suite not in state.reports:
        raise Problematic(404, f"no suite {suite!r} has reports{did_you_mean(suite, state.reports)}")
    return await reports_page(state, caller, suite, first, last)


async def reports_page(
    state: AdminState, caller: Caller, suite: str, first: date | None, last: date | None
) -> Response:  # fmt: skip
    """Raises `DatabaseDown`, `TooBusy` and 422."""
    reports = state.reports[suite]
    days = {name: days_of(state, suite, report, first, last) for name, report in reports.items()}
    today = max(today_of(state, suite, report) for report in reports.values())
    async with state.database.reading() as connection:
        shown = await _read_all(state, connection, suite, days)
    # In a thread: the loop, which the work shares, does not wait while a year of figures is drawn and written.
    return await asyncio.to_thread(
        page_for, caller, "reports.html", "Reports", suites=tuple(state.reports), suite=suite, reports=shown,
        first=first, last=last, query=_query(first, last), most=MOST_ROWS, most_in_table=MOST_IN_TABLE,
        spans=[(f"{span} days", _query(today - timedelta(days=span - 1), today)) for span in SPANS],
    )  # fmt: skip


async def _read_all(
    state: AdminState, connection: asyncpg.Connection, suite: str, days: Mapping[str, Days | None]
) -> list[Shown]:
    reports = state.reports[suite]
    settings = state.catalogue.settings.get(suite)
    by = await makers(state, connection, [f"{suite}.{report.made_by}" for report in reports.values()])
    began = time.monotonic()
    shown = []
    for name, report in reports.items():
        found, error = Found([]), None
        if time.monotonic() - began > PATIENCE:
            error = "The reports above took too long: choose fewer days."
        else:
            try:
                found = await read(connection, suite, report, days[name], settings, MOST_ROWS)
            except ReportFailed as failure:
                error = str(failure)
        maker = by[f"{suite}.{report.made_by}"]
        shown.append(Shown(name, report, days[name], found, maker, error))
    return shown


def _query(first: date | None, last: date | None) -> str:
    return urlencode({key: day.isoformat() for key, day in (("from", first), ("until", last)) if day})
