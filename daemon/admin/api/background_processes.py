"""Jobs as background processes, for systems that were written for such a manager: one list, one door for actions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Literal

import asyncpg
from fastapi import APIRouter
from pydantic import BaseModel, Field

from daemon import actions, actions_logs, actions_overrides, sql
from daemon.actions_deed import Actor, Invalid
from daemon.admin.access import Operator, Viewer
from daemon.admin.api.approvals import ASKED
from daemon.admin.api.job_manager import latest, run_now
from daemon.admin.api.job_words import names_of
from daemon.admin.api.jobs import known_jobs, summary
from daemon.admin.models import Text, Why
from daemon.admin.problems import described
from daemon.admin.state import AdminState, State
from daemon.job import Job
from daemon.outcome import policy_of

PAUSED, RUNNING = sql.load(__file__, "paused", "running")
LOGS_KEPT = timedelta(days=30)

router = APIRouter(prefix="/api/admin/background-processes", tags=["as other systems ask"])


class Process(BaseModel):
    """`name` is what the other system calls it, `job` what it is called here. Durations are milliseconds."""

    name: str
    job: str
    schedule: str
    timezone: str
    enabled: bool
    status: Literal["running", "idle", "stopped", "disabled"]
    timeout: float
    retryAttempts: int  # noqa: N815 - the interface is not ours
    retryDelay: float  # noqa: N815
    lastRun: datetime | None  # noqa: N815
    lastStatus: str | None  # noqa: N815
    lastDuration: float | None  # noqa: N815
    lastError: str | None  # noqa: N815
    nextRun: datetime | None  # noqa: N815


class Processes(BaseModel):
    success: Literal[True] = True
    processes: list[Process]


class Command(Why):
    """`processName`: a name or alias. `start` and `stop` without one concern every job; an empty one is a mistake."""

    action: Literal["start", "stop", "restart", "run", "enable", "disable", "cleanup-logs"]
    processName: Text | None = Field(default=None, min_length=1, max_length=200)  # noqa: N815
    olderThanDays: int = Field(default=LOGS_KEPT.days, ge=1, le=36_500)  # noqa: N815


class Answer(BaseModel):
    """`notAwaited`: a sentence for each dependency that a run does not wait for, because a person asked for it."""

    success: Literal[True] = True
    message: str
    runId: int | None = None  # noqa: N815
    deleted: int | None = None
    notAwaited: list[str] = []  # noqa: N815


@router.get("")
async def list_processes(state: State, _: Viewer) -> Processes:
    """Every job of the enabled suites, by its own name."""
    names = list(state.catalogue.jobs)
    known, last = await known_jobs(state, names), await latest(state, names)
    return Processes(processes=[_process(known.jobs.jobs[n], summary(n, known), last[n]) for n in names])


def _process(job: Job, told: dict[str, object], last: asyncpg.Record) -> Process:
    stopped, running = told["paused_by"] is not None, told["running_run"] is not None
    took, coming = last["duration_s"], told["next"]
    return Process.model_validate({
        "name": names_of(job).process, "job": job.name, "schedule": told["schedule"], "timezone": told["timezone"],
        "enabled": job.enabled,
        "status": "running" if running else "disabled" if not job.enabled else "stopped" if stopped else "idle",
        "timeout": job.timeout.total_seconds() * 1000, "retryAttempts": policy_of(job).retries,
        "retryDelay": job.retry_delay.total_seconds() * 1000, "lastRun": last["finished_at"],
        "lastStatus": last["state"], "lastDuration": None if took is None else took * 1000,
        "lastError": last["error"] if last["state"] == "failed" else None,
        "nextRun": getattr(coming, "at", None),
    })  # fmt: skip


@router.post("", responses={**described(404, 409), **ASKED})
async def control(state: State, caller: Operator, body: Command) -> Answer:
    """One action. What it changes is what `/api/v1` would change, audited alike."""
    actor = caller.actor(body.reason)
    if body.action == "cleanup-logs":
        async with state.database.acting() as connection:
            deleted = await actions_logs.clean_logs(connection, actor, timedelta(days=body.olderThanDays))
        return Answer(message=f"{deleted} log lines deleted", deleted=deleted)
    if body.action == "run":
        job = _named(state, body)
        run, unmet = await run_now(state, caller, job.name, body.reason, {})
        return Answer(message="; ".join([f"{job.name} will run", *unmet]), runId=run, notAwaited=unmet)
    jobs = [_named(state, body)] if body.processName or body.action not in ("start", "stop") else _all(state)
    async with state.database.acting() as connection:
        for job in jobs:
            await DEEDS[body.action](connection, actor, state, job)
    return Answer(message=f"{body.action}: {', '.join(job.name for job in jobs) or 'there are no jobs'}")


def _named(state: AdminState, body: Command) -> Job:
    """Raises `UnknownJob`, and `Invalid` without a name."""
    if not body.processName:
        raise Invalid(f"processName: say which, to {body.action} it")
    return state.catalogue.resolve(body.processName)


def _all(state: AdminState) -> Sequence[Job]:
    return list(state.catalogue.jobs.values())


async def _start(connection: asyncpg.Connection, actor: Actor, state: AdminState, job: Job) -> None:
    """Not paused any more. One that is not paused stays as it is."""
    if await connection.fetchval(PAUSED.text, job.name):
        await actions.resume_job(connection, actor, state.catalogue.jobs, job.name)


async def _stop(connection: asyncpg.Connection, actor: Actor, state: AdminState, job: Job) -> None:
    """Paused, and what runs of it is cancelled."""
    await actions.pause_job(connection, actor, job.name)
    await _cancel(connection, actor, job)


async def _restart(connection: asyncpg.Connection, actor: Actor, state: AdminState, job: Job) -> None:
    """What runs of it is cancelled, and it is not paused any more: the next instant finds it free."""
    await _cancel(connection, actor, job)
    await _start(connection, actor, state, job)


async def _cancel(connection: asyncpg.Connection, actor: Actor, job: Job) -> None:
    if running := [row["id"] for row in await connection.fetch(RUNNING.text, job.name)]:
        await actions.cancel_runs(connection, actor, running)


async def _enable(connection: asyncpg.Connection, actor: Actor, state: AdminState, job: Job) -> None:
    await actions_overrides.override_job(connection, actor, job, {"enabled": None if job.enabled else True})


async def _disable(connection: asyncpg.Connection, actor: Actor, state: AdminState, job: Job) -> None:
    await actions_overrides.override_job(connection, actor, job, {"enabled": False if job.enabled else None})


DEEDS: dict[str, Callable[[asyncpg.Connection, Actor, AdminState, Job], Awaitable[None]]] = {
    "start": _start, "stop": _stop, "restart": _restart, "enable": _enable, "disable": _disable,
}  # fmt: skip
