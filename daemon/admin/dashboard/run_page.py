"""Runs: found by filters, and one with its tries, its log and why it waits."""

from __future__ import annotations

from typing import Annotated, get_args

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from daemon import sql
from daemon.admin.access import Viewer
from daemon.admin.api.runs import MOST_LINES, RunState, TheRun, Trigger, Wanted, detail, matching, named
from daemon.admin.dashboard.watching import watched
from daemon.admin.live import Part
from daemon.admin.models import Text
from daemon.admin.pages import page_for, rendered
from daemon.admin.paging import Cursor
from daemon.admin.state import AdminState, State

(LAST_LINES,) = sql.load(__file__, "last_lines")
PER_PAGE = 50

router = APIRouter(include_in_schema=False)


@router.get("/runs")
async def list_runs(
    state: State, caller: Viewer, cursor: Cursor = None,
    job: Annotated[Text, Query(max_length=200)] = "",
    in_state: Annotated[RunState | None, Query(alias="state")] = None,
    trigger: Annotated[Trigger | None, Query()] = None,
) -> Response:  # fmt: skip
    wanted = Wanted(
        jobs=named(state, [job] if job else None, None), states=[in_state] if in_state else None,
        triggers=[trigger] if trigger else None,
    )  # fmt: skip
    found = await matching(state, wanted, PER_PAGE, cursor)
    return page_for(
        caller, "runs.html", "Runs", runs=found.items, next=found.next, job=job, state=in_state or "",
        trigger=trigger or "", states=get_args(RunState), triggers=get_args(Trigger), jobs=sorted(state.catalogue.jobs),
    )  # fmt: skip


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
    return rendered("run_now.html", run=found, lines=lines[::-1], most=MOST_LINES)
