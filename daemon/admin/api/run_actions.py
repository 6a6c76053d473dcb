"""What a person does to runs: cancel, retry, release, waive; all of those named, or none."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg
from fastapi import APIRouter

from daemon import actions
from daemon.actions_deed import Changed
from daemon.admin.access import Operator
from daemon.admin.api.approvals import ASKED
from daemon.admin.api.runs import TheRun
from daemon.admin.models import ChangedRun, SomeRuns, Why
from daemon.admin.problems import described
from daemon.admin.state import State
from daemon.job import Job
from daemon.unawaited import not_awaited

router = APIRouter(prefix="/api/v1/runs", tags=["runs"], responses=described(404, 409))


def _told(changed: Sequence[Changed]) -> list[ChangedRun]:
    return [ChangedRun.of(run) for run in changed]


async def _unmet(connection: asyncpg.Connection, job: Job | None, run: Changed) -> list[str]:
    return [] if job is None else await not_awaited(connection, job, run.due_at)


@router.post("/cancel")
async def cancel_runs(state: State, caller: Operator, body: SomeRuns) -> list[ChangedRun]:
    """What has not begun is cancelled now; what runs is told to stop by its node, within a second."""
    async with state.database.acting() as connection:
        return _told(await actions.cancel_runs(connection, caller.actor(body.reason), body.runs))


@router.post("/retry", responses=ASKED)
async def retry_runs(state: State, caller: Operator, body: SomeRuns) -> list[ChangedRun]:
    """Failed, cancelled, skipped and missed runs are ready again, with all their tries."""
    async with state.database.acting() as connection:
        jobs = state.catalogue.jobs
        changed = await actions.retry_runs(connection, caller.actor(body.reason), jobs, body.runs)
        return [ChangedRun.of(run, await _unmet(connection, jobs.get(run.job), run)) for run in changed]


@router.post("/release")
async def release_runs(state: State, caller: Operator, body: SomeRuns) -> list[ChangedRun]:
    """Held runs may go: ready, or waiting for what they depend on."""
    async with state.database.acting() as connection:
        jobs = state.catalogue.jobs
        return _told(await actions.release_runs(connection, caller.actor(body.reason), jobs, body.runs))


@router.post("/waive", responses=ASKED)
async def waive_runs(state: State, caller: Operator, body: SomeRuns) -> list[ChangedRun]:
    """Settle instants that hold up later ones, without running them. Your name is kept with it."""
    async with state.database.acting() as connection:
        jobs = state.catalogue.jobs
        return _told(await actions.waive_runs(connection, caller.actor(body.reason), jobs, body.runs))


@router.post("/{run:int}/cancel")
async def cancel_run(state: State, caller: Operator, run: TheRun, body: Why | None = None) -> ChangedRun:
    """As `cancel`, of one."""
    return (await cancel_runs(state, caller, _one(run, body)))[0]


@router.post("/{run:int}/retry", responses=ASKED)
async def retry_run(state: State, caller: Operator, run: TheRun, body: Why | None = None) -> ChangedRun:
    """As `retry`, of one."""
    return (await retry_runs(state, caller, _one(run, body)))[0]


@router.post("/{run:int}/release")
async def release_run(state: State, caller: Operator, run: TheRun, body: Why | None = None) -> ChangedRun:
    """As `release`, of one: a held replay may go."""
    return (await release_runs(state, caller, _one(run, body)))[0]


@router.post("/{run:int}/waive", responses=ASKED)
async def waive_run(state: State, caller: Operator, run: TheRun, body: Why | None = None) -> ChangedRun:
    """As `waive`, of one."""
    return (await waive_runs(state, caller, _one(run, body)))[0]


def _one(run: int, body: Why | None) -> SomeRuns:
    return SomeRuns(runs=[run], reason=body.reason if body else None)
