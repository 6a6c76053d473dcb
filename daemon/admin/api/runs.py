"""Runs: every due instant and what became of it; one with its tries, arguments, result, and what it waits for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal

import asyncpg
from fastapi import APIRouter, Path, Query
from pydantic import BaseModel

from daemon import sql
from daemon.admin.access import Viewer
from daemon.admin.api.run_waits import waits_for
from daemon.admin.models import Moment, RunId, Text
from daemon.admin.paging import Cursor, Limit, Page, decoded, page_of
from daemon.admin.problems import Problematic, described
from daemon.admin.state import AdminState, State
from daemon.catalogue import UnknownJob

RUNS, RUNS_OF_JOBS, RUN, ATTEMPTS, LOG, RUN_THERE = sql.load(
    __file__, "runs", "runs_of_jobs", "run", "attempts", "log", "run_there"
)
LONGEST_ERROR = 500
MOST_LINES = 200

RunState = Literal["waiting", "held", "ready", "running", "succeeded", "failed", "skipped", "missed", "cancelled"]
Trigger = Literal["schedule", "manual", "event", "dependency", "poll"]
TheRun = Annotated[RunId, Path()]

router = APIRouter(prefix="/api/v1/runs", tags=["runs"])


class RunSummary(BaseModel):
    """One row of the ledger. With `due_until` and `count` it stands for several instants that share a fate."""

    id: int
    job: str
    due_at: datetime
    due_until: datetime | None
    count: int
    logical_date: date
    trigger: str
    state: RunState
    reason: str | None
    error: str | None
    attempt: int
    failures: int
    rescues: int
    not_before: datetime
    started_at: datetime | None
    finished_at: datetime | None
    duration_s: float | None
    lateness_s: float | None
    node: str | None
    requested_by: str | None
    waived_by: str | None
    strict: bool
    note: str | None


class Attempt(BaseModel):
    """A try that did not simply succeed."""

    number: int
    outcome: str
    node: str | None
    started_at: datetime | None
    finished_at: datetime
    error: str | None
    traceback: str | None


class Progress(BaseModel):
    seconds: float
    done: float
    total: float | None


class RunDetail(RunSummary):
    """`waits_for`: in sentences, why it has not begun. `progress` is what its node said within the last second."""

    priority: int
    daily: bool
    again: bool
    args: Any
    cursor: Any
    result: Any
    cancel_requested_by: str | None
    progress: Progress | None
    waits_for: list[str]
    attempts: list[Attempt]


class LogLine(BaseModel):
    seq: int
    at: datetime
    level: str
    line: str


class Log(BaseModel):
    """`after` asks for what came later: the number of the last line shown. `ended`: nothing will."""

    lines: list[LogLine]
    after: int
    ended: bool


class Wanted(BaseModel):
    """A filter of runs; what is left out does not matter."""

    jobs: list[str] | None = None
    states: list[RunState] | None = None
    triggers: list[Trigger] | None = None
    since: datetime | None = None
    until: datetime | None = None
    node: str | None = None


async def matching(state: AdminState, wanted: Wanted, limit: int, cursor: str | None) -> Page[RunSummary]:
    """The newest first: of some jobs by due instant, else by id."""
    terms = (wanted.jobs, wanted.states, wanted.triggers, wanted.since, wanted.until, wanted.node)
    if wanted.jobs is not None:
        at, last = decoded(cursor, datetime, int)
        rows = await state.database.fetch(RUNS_OF_JOBS, *terms, at, last, limit + 1)
        return page_of(rows, limit, summarised, lambda row: (row["due_at"], row["id"]))
    (last,) = decoded(cursor, int)
    rows = await state.database.fetch(RUNS, *terms, last, limit + 1)
    return page_of(rows, limit, summarised, lambda row: (row["id"],))


@router.get("", responses=described(404))
async def list_runs(
    state: State, _: Viewer, limit: Limit = 50, cursor: Cursor = None,
    job: Annotated[list[Text] | None, Query(max_length=100, description="Name or alias; several are allowed.")] = None,
    suite: Annotated[str | None, Query(max_length=100)] = None,
    in_state: Annotated[list[RunState] | None, Query(alias="state")] = None,
    trigger: Annotated[list[Trigger] | None, Query()] = None,
    since: Annotated[Moment | None, Query(description="Due at or after; a row for several instants: the last.")] = None,
    until: Annotated[Moment | None, Query(description="Due before; a row for several: the first.")] = None,
    node: Annotated[Text | None, Query(max_length=200)] = None,
) -> Page[RunSummary]:  # fmt: skip
    """Runs, the newest first."""
    wanted = Wanted(
        jobs=named(state, job, suite), states=in_state, triggers=trigger, since=since, until=until, node=node
    )
    return await matching(state, wanted, limit, cursor)


def named(state: AdminState, jobs: Sequence[str] | None, suite: str | None) -> list[str] | None:
    """The jobs' own names; None for any. A name the catalogue does not know may be one that only the ledger does."""
    if jobs is None and suite is None:
        return None
    if jobs is None:
        return [name for name, job in state.catalogue.jobs.items() if job.suite == suite]
    found = [own_name(state, name) for name in jobs]
    return [name for name in found if suite is None or name.startswith(f"{suite}.")]


def own_name(state: AdminState, name: str) -> str:
    try:
        return state.catalogue.resolve(name).name
    except UnknownJob:
        return name


@router.get("/{run:int}", responses=described(404))
async def show_run(state: State, _: Viewer, run: TheRun) -> RunDetail:
    """One run with everything that is known of it."""
    return await detail(state, run)


async def detail(state: AdminState, run: int) -> RunDetail:
    """Raises 404."""
    async with state.database.reading() as connection:
        row = await connection.fetchrow(RUN.text, run)
        if row is None:
            raise unknown(run)
        attempts = await connection.fetch(ATTEMPTS.text, run)
        waits = await waits_for(connection, state.catalogue, row, state.engine.clock.now())
    plain = {key: row[key] for key in RunDetail.model_fields.keys() & row.keys()}
    values = {key: json.loads(row[key]) if row[key] is not None else None for key in ("args", "cursor", "result")}
    return RunDetail.model_validate({
        **plain, **values, **_times(row), "attempts": [dict(attempt) for attempt in attempts], "waits_for": waits,
        "progress": _progress(row),
    })  # fmt: skip


@router.get("/{run:int}/log", responses=described(404))
async def show_log(
    state: State, _: Viewer, run: TheRun, limit: Limit = MOST_LINES,
    after: Annotated[int, Query(ge=0, lt=2**31, description="Lines after this one.")] = 0,
) -> Log:  # fmt: skip
    """What the body said, in order; ask again with `after` for more."""
    async with state.database.reading() as connection:
        there = await connection.fetchrow(RUN_THERE.text, run)
        if there is None:
            raise unknown(run)
        rows = await connection.fetch(LOG.text, run, after, limit)
    ended = there["state"] not in ("waiting", "held", "ready", "running")
    return Log(lines=[LogLine(**row) for row in rows], after=rows[-1]["seq"] if rows else after, ended=ended)


def unknown(run: int) -> Problematic:
    return Problematic(404, f"there is no run {run}")


def summarised(row: asyncpg.Record) -> RunSummary:
    plain = {key: row[key] for key in RunSummary.model_fields.keys() & row.keys()}
    error = (row["error"] or "")[:LONGEST_ERROR] or None
    return RunSummary.model_validate({**plain, **_times(row), "error": error})


def _times(row: asyncpg.Record) -> dict[str, float | None]:
    """How long it took, and how late it began; of what has not begun, neither."""
    began, ended = row["started_at"], row["finished_at"]
    return {
        "duration_s": (ended - began).total_seconds() if began and ended else None,
        "lateness_s": max((began - row["due_at"]).total_seconds(), 0.0) if began else None,
    }


def _progress(row: asyncpg.Record) -> Progress | None:
    said = json.loads(row["running"]) if row["running"] else []
    mine = next((run for run in said if run["run"] == row["id"]), None)
    return Progress(**{key: mine[key] for key in Progress.model_fields}) if mine else None
