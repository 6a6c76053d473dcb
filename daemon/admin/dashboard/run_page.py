"""Runs: found by filters, and one with its tries, its log and why it waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from daemon import sql
from daemon.admin.access import Viewer
from daemon.admin.api.audit import entries
from daemon.admin.api.runs import MOST_LINES, RunState, TheRun, Trigger, Wanted, detail, matching, named
from daemon.admin.dashboard.watching import watched
from daemon.admin.live import Part
from daemon.admin.models import Text
from daemon.admin.pages import page_for, rendered
from daemon.admin.paging import Cursor, asked
from daemon.admin.problems import Problematic
from daemon.admin.state import AdminState, State
from daemon.in_words import utc_field

LAST_LINES, OPEN_RUNS = sql.load(__file__, "last_lines", "open_runs")
PER_PAGE = 50
MOST_DEEDS = 20

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Sought:
    """What the form above the list asks for; empty for any."""

    job: str
    state: RunState | Literal[""]
    trigger: Trigger | Literal[""]
    since: datetime | None
    until: datetime | None

    @property
    def query(self) -> str:
        return asked(
            job=self.job,
            state=self.state,
            trigger=self.trigger,
            since=utc_field(self.since),
            until=utc_field(self.until),
        )

    def wanted(self, state: AdminState) -> Wanted:
        return Wanted(
            jobs=named(state, [self.job] if self.job else None, None), states=[self.state] if self.state else None,
            triggers=[self.trigger] if self.trigger else None, since=self.since, until=self.until,
        )  # fmt: skip


def _in_utc(text: str) -> datetime | None:
    """Raises ValueError for what is no moment."""
    if not text:
        return None
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


At = Annotated[Text, Query(max_length=40, description="ISO 8601, in UTC without an offset; empty for any.")]


def sought(
    job: Annotated[Text, Query(max_length=200)] = "",
    in_state: Annotated[RunState | Literal[""], Query(alias="state")] = "",
    trigger: Annotated[Trigger | Literal[""], Query()] = "", since: At = "", until: At = "",
) -> Sought:  # fmt: skip
    try:
        return Sought(job, in_state, trigger, _in_utc(since), _in_utc(until))
    except (ValueError, OverflowError) as error:
        raise Problematic(422, f"since, until: {error}; write a moment such as 2026-11-22T15:30, in UTC") from error


Filter = Annotated[Sought, Depends(sought)]


@router.get("/runs")
async def list_runs(state: State, caller: Viewer, wanted: Filter, cursor: Cursor = None) -> Response:
    return page_for(
        caller, "runs.html", "Runs", list=await list_html(state, wanted, cursor),
        counts=await counts_html(state), job=wanted.job, state=wanted.state, trigger=wanted.trigger,
        since=utc_field(wanted.since), until=utc_field(wanted.until), query=wanted.query if cursor is None else None,
        states=get_args(RunState), triggers=get_args(Trigger), jobs=sorted(state.catalogue.jobs),
    )  # fmt: skip


@router.get("/live/runs")
async def live_runs(request: Request, state: State, _: Viewer, wanted: Filter) -> Response:
    """The newest page; older ones change no more."""
    return await watched(
        request, state, counts=Part("open runs", lambda: counts_html(state)),
        list=Part(f"runs {wanted.query}", lambda: list_html(state, wanted, None)),
    )  # fmt: skip


async def counts_html(state: AdminState) -> str:
    """How many runs are in each state that is not the end. Raises `DatabaseDown` and `TooBusy`."""
    return rendered("runs_counts.html", counts=await state.database.fetch(OPEN_RUNS))


async def list_html(state: AdminState, wanted: Sought, cursor: str | None) -> str:
    """Raises `DatabaseDown` and `TooBusy`."""
    found = await matching(state, wanted.wanted(state), PER_PAGE, cursor)
    return rendered("runs_list.html", runs=found.items, next=found.next, query=wanted.query)


@router.get("/runs/{run}")
async def show_run(state: State, caller: Viewer, run: TheRun) -> Response:
    found = await detail(state, run)
    sensitive = found.job in state.catalogue.jobs and state.catalogue.jobs[found.job].sensitive
    return page_for(caller, "run.html", "Runs", run=found, sensitive=sensitive, now=await run_html(state, run))


@router.get("/live/runs/{run}")
async def live_run(request: Request, state: State, _: Viewer, run: TheRun) -> Response:
    return await watched(request, state, now=Part(f"run {run}", lambda: run_html(state, run)))


async def run_html(state: AdminState, run: int) -> str:
    """What changes of a run, the end of its log included. Raises 404, `DatabaseDown` and `TooBusy`."""
    found = await detail(state, run)
    lines = await state.database.fetch(LAST_LINES, run, MOST_LINES)
    deeds = (await entries(state, MOST_DEEDS, None, target=f"run {run}")).items
    asked_for: dict[str, Any] = next((deed.after for deed in deeds if deed.action == "run-job"), {})
    return rendered(
        "run_now.html", run=found, lines=lines[::-1], most=MOST_LINES, deeds=deeds,
        not_awaited=asked_for.get("not_awaited", []),
    )  # fmt: skip
