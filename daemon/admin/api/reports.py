"""What suites report: which reports there are, the rows of one, and the same as CSV."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, Field

from daemon.admin.access import Viewer
from daemon.admin.problems import Problematic, described
from daemon.admin.reports import table_csv
from daemon.admin.reports.cells import known
from daemon.admin.reports.chosen import Day, Days, chosen
from daemon.admin.reports.reading import Found, Maker, ReportFailed, ReportTooSlow, makers, read
from daemon.admin.state import AdminState, State
from daemon.in_force import zone_of
from daemon.naming import did_you_mean
from daemon.report import Column, Report

MOST_ROWS = 20_000
RETRY_AFTER = {"Retry-After": "60"}

router = APIRouter(prefix="/api/v1", tags=["reports"])

Part = Annotated[str, Path(max_length=100)]
First = Annotated[Day, Query(alias="from", description="The first day; without it, so many as the report usually has.")]
Last = Annotated[Day, Query(alias="until", description="The last day, included; without it, today.")]


class ReportColumn(BaseModel):
    """`unit`: how a value is meant. `currency`: of an amount, the column with its currency's code."""

    name: str
    title: str
    unit: str
    currency: str | None

    @classmethod
    def of(cls, column: Column) -> ReportColumn:
        return cls(name=column.name, title=column.title, unit=column.unit, currency=column.currency)


class ReportSummary(BaseModel):
    """`days`: how many it has where no range is asked for; null: it is of things as they are now, and takes none.

    `made_by`: the job that writes what it reads.
    """

    suite: str
    name: str
    title: str
    about: str
    made_by: str
    days: int | None
    columns: list[ReportColumn]

    @classmethod
    def fields_of(cls, suite: str, name: str, report: Report) -> dict[str, Any]:
        return {
            "suite": suite, "name": name, "title": report.title, "about": report.about,
            "made_by": f"{suite}.{report.made_by}", "days": report.days,
            "columns": [ReportColumn.of(column) for column in report.columns],
        }  # fmt: skip


class AsOf(BaseModel):
    """The last run of the report's job that succeeded."""

    run: int
    finished_at: datetime | None


class ReportRows(ReportSummary):
    """`rows`: a value for each column, by its name; amounts and other exact numbers as text, null for what is not
    known. `more`: there are more rows than that; choose fewer days. `next_at`: when the job is due next."""

    first: date | None = Field(serialization_alias="from")
    last: date | None = Field(serialization_alias="until")
    rows: list[dict[str, Any]]
    more: bool
    as_of: AsOf | None
    next_at: datetime | None


@router.get("/reports")
async def list_reports(
    state: State, _: Viewer, suite: Annotated[str | None, Query(max_length=100)] = None
) -> list[ReportSummary]:
    """Every report of the enabled suites, in the order the suites declare them in."""
    return [
        ReportSummary(**ReportSummary.fields_of(of, name, report))
        for of, reports in state.reports.items() if suite in (None, of) for name, report in reports.items()
    ]  # fmt: skip


class Asked:
    """One report, and the days of it that are asked for. Raises 404 and 422."""

    def __init__(self, state: State, suite: Part, name: Part, first: First = None, last: Last = None) -> None:
        self.suite, self.name = suite, name
        self.report = report_named(state, suite, name)
        self.days = days_of(state, suite, self.report, first, last)


Wanted = Annotated[Asked, Depends()]


@router.get("/reports/{suite}/{name}.csv", responses=described(404, 500) | {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "The heads, then a line a row."},
}, response_class=StreamingResponse)  # fmt: skip
async def download_report(state: State, _: Viewer, asked: Wanted) -> StreamingResponse:
    """A report as CSV: exact figures, and text that a spreadsheet will not take for a formula. All rows or none."""
    found, _maker = await rows_of(state, asked)
    if found.more:
        raise Problematic(422, f"there are more than {MOST_ROWS:,} rows: choose fewer days")
    today = today_of(state, asked.suite, asked.report).isoformat()
    name = table_csv.file_name(asked.suite, asked.name, asked.days, today)
    return StreamingResponse(
        table_csv.lines(asked.report, found.rows), media_type="text/csv; charset=utf-8; header=present",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )  # fmt: skip


@router.get("/reports/{suite}/{name}", responses=described(404, 500), response_model=ReportRows)
async def show_report(state: State, _: Viewer, asked: Wanted) -> Response:
    """The rows of one report, in its own order."""
    found, maker = await rows_of(state, asked)
    # In a thread: the loop, which the work shares, does not wait while thousands of rows are written.
    body = await asyncio.to_thread(_as_json, asked, found, maker)
    return Response(body, media_type="application/json")


def _as_json(asked: Asked, found: Found, maker: Maker) -> str:
    names, days = [column.name for column in asked.report.columns], asked.days
    return ReportRows(
        **ReportSummary.fields_of(asked.suite, asked.name, asked.report),
        first=days.first if days else None, last=days.last if days else None, more=found.more,
        rows=[{name: known(row[name]) for name in names} for row in found.rows],
        as_of=None if maker.run is None else AsOf(run=maker.run, finished_at=maker.made_at), next_at=maker.next_at,
    ).model_dump_json(by_alias=True)  # fmt: skip


async def rows_of(state: AdminState, asked: Asked) -> tuple[Found, Maker]:
    """Raises 500 with what the database said of a report that is wrong, 503 for one that took too long."""
    job = f"{asked.suite}.{asked.report.made_by}"
    settings = state.catalogue.settings.get(asked.suite)
    async with state.database.reading() as connection:
        try:
            found = await read(connection, asked.suite, asked.report, asked.days, settings, MOST_ROWS)
        except ReportTooSlow as error:
            raise Problematic(503, f"{asked.suite}/{asked.name}: {error}", headers=RETRY_AFTER) from error
        except ReportFailed as error:
            raise Problematic(500, f"{asked.suite}/{asked.name} cannot be read: {error}") from error
        return found, (await makers(state, connection, [job]))[job]


def report_named(state: AdminState, suite: str, name: str) -> Report:
    """Raises 404, with the name that comes nearest."""
    if suite not in state.reports:
        raise Problematic(404, f"no suite {suite!r} has reports{did_you_mean(suite, state.reports)}")
    if name not in state.reports[suite]:
        raise Problematic(404, f"{suite} has no report {name!r}{did_you_mean(name, state.reports[suite])}")
    return state.reports[suite][name]


def days_of(state: AdminState, suite: str, report: Report, first: date | None, last: date | None) -> Days | None:
    """Raises 422."""
    try:
        return chosen(report, first, last, today_of(state, suite, report))
    except ValueError as error:
        raise Problematic(422, str(error)) from error


def today_of(state: AdminState, suite: str, report: Report) -> date:
    """In the zone of the job that makes the report, which may be a day ahead of UTC."""
    job = state.catalogue.jobs.get(f"{suite}.{report.made_by}")
    now = state.engine.clock.now()
    return (now if job is None else now.astimezone(zone_of(job))).date()
