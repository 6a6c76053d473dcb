"""A job manager's interface, for systems that were written for one: status, health, run by type and name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import asyncpg
from fastapi import APIRouter
from pydantic import BaseModel, Field, StrictBool

from daemon import actions, attention, sql
from daemon.admin.access import Caller, Operator, Viewer
from daemon.admin.api.job_words import names_of, resolved
from daemon.admin.api.jobs import Known, known_jobs, summary
from daemon.admin.api.nodes import NODES
from daemon.admin.models import Arguments, Text, Why
from daemon.admin.problems import described
from daemon.admin.state import AdminState, State
from daemon.attention import Matter
from daemon.unawaited import not_awaited

LATEST, STATISTICS = sql.load(__file__, "latest", "statistics")
ALARMING = frozenset({"stopped", "failed", "held", "dead", "queue"})

Word = Literal["healthy", "degraded", "unhealthy"]

router = APIRouter(prefix="/api/admin/jobs", tags=["as other systems ask"])


class ManagedJob(BaseModel):
    """`job` is the name here. Instants are ISO 8601; `lastDuration` is in milliseconds."""

    job: str
    schedule: str
    enabled: bool
    paused: bool
    isRunning: bool  # noqa: N815 - the interface is not ours
    nextRun: datetime | None  # noqa: N815
    lastRun: datetime | None  # noqa: N815
    lastStatus: str | None  # noqa: N815
    lastDuration: float | None  # noqa: N815
    lastError: str | None  # noqa: N815


class ManagerStatus(BaseModel):
    """`jobs` by type, then by name."""

    isInitialized: bool  # noqa: N815
    timestamp: datetime
    jobs: dict[str, dict[str, ManagedJob]]


class JobStatistics(BaseModel):
    """Over 30 days. `successRate`: of those that succeeded or failed. Durations: in ms, of those that succeeded."""

    job: str
    totalRuns: int  # noqa: N815
    succeeded: int
    failed: int
    cancelled: int
    missed: int
    successRate: float | None  # noqa: N815
    averageDuration: float | None  # noqa: N815
    p95Duration: float | None  # noqa: N815


class ManagerStatistics(BaseModel):
    """`jobs` by type, then by name."""

    timestamp: datetime
    days: Literal[30] = 30
    jobs: dict[str, dict[str, JobStatistics]]


class ManagerHealth(BaseModel):
    """`healthy`; `degraded`: something wants attention; `unhealthy`: nothing runs, or work has failed for good."""

    status: Word
    overall: Word
    isInitialized: bool  # noqa: N815
    timestamp: datetime
    database: Literal["connected"]
    nodes: int
    issues: list[str]
    recommendations: list[str]


class RunByName(Why):
    jobType: Text = Field(min_length=1, max_length=100)  # noqa: N815
    jobName: Text = Field(min_length=1, max_length=100)  # noqa: N815
    args: Arguments = Field(default_factory=dict, max_length=100)
    again: StrictBool = Field(default=False, description="Even if it ran for that date before.")


class Started(BaseModel):
    """`notAwaited`: a sentence for each dependency that the run does not wait for, because a person asked for it."""

    success: Literal[True] = True
    runId: int | None  # noqa: N815
    approval: int | None = None
    notAwaited: list[str] = []  # noqa: N815


async def latest(state: AdminState, names: list[str]) -> Mapping[str, asyncpg.Record]:
    return {row["job"]: row for row in await state.database.fetch(LATEST, names)}


def managed(name: str, known: Known, last: asyncpg.Record) -> ManagedJob:
    told = summary(name, known)
    took = last["duration_s"]
    return ManagedJob(
        job=name, schedule=told["schedule"], enabled=told["enabled"], paused=told["paused_by"] is not None,
        isRunning=told["running_run"] is not None, nextRun=told["next"].at if told["next"] else None,
        lastRun=last["finished_at"], lastStatus=last["state"], lastDuration=None if took is None else took * 1000,
        lastError=last["error"] if last["state"] == "failed" else None,
    )  # fmt: skip


@router.get("/status")
async def status(state: State, _: Viewer) -> ManagerStatus:
    """Every job, by type and name."""
    names = list(state.catalogue.jobs)
    known, last = await known_jobs(state, names), await latest(state, names)
    grouped: dict[str, dict[str, ManagedJob]] = {}
    for name in names:
        called = names_of(state.catalogue.jobs[name])
        grouped.setdefault(called.type, {})[called.task] = managed(name, known, last[name])
    return ManagerStatus(isInitialized=True, timestamp=known.now, jobs=grouped)


@router.get("/statistics")
async def statistics(state: State, _: Viewer) -> ManagerStatistics:
    """What became of every job's runs in 30 days, by type and name."""
    now = state.engine.clock.now()
    rows = await state.database.fetch(STATISTICS, list(state.catalogue.jobs), now)
    grouped: dict[str, dict[str, JobStatistics]] = {}
    for row in rows:
        called = names_of(state.catalogue.jobs[row["job"]])
        grouped.setdefault(called.type, {})[called.task] = counted(row)
    return ManagerStatistics(timestamp=now, jobs=grouped)


def counted(row: asyncpg.Record) -> JobStatistics:
    succeeded, failed, cancelled = row["succeeded"], row["failed"], row["cancelled"]
    average, p95 = (None if row[name] is None else row[name] * 1000 for name in ("average_s", "p95_s"))
    return JobStatistics(
        job=row["job"], totalRuns=succeeded + failed + cancelled, succeeded=succeeded, failed=failed,
        cancelled=cancelled, missed=row["missed"],
        successRate=succeeded / (succeeded + failed) if succeeded + failed else None,
        averageDuration=average, p95Duration=p95,
    )  # fmt: skip


@router.post("/run", responses=described(404, 409))
async def run(state: State, caller: Operator, body: RunByName) -> Started:
    """A run, ready at once: 200, as clients of old expect. 202 says that a second person has to agree."""
    job = resolved(state.catalogue, body.jobType, body.jobName)
    run, unmet = await run_now(state, caller, job.name, body.reason, body.args, again=body.again)
    return Started(runId=run, notAwaited=unmet)


async def run_now(
    state: AdminState, caller: Caller, name: str, reason: str | None, args: dict[str, Any], *, again: bool = False
) -> tuple[int, list[str]]:
    """Ask for a run of a job as it is in force; its id, and which dependencies it does not wait for."""
    known = await known_jobs(state, [name])
    job = known.jobs.jobs[name]
    async with state.database.acting() as connection:
        run = await actions.request_run(connection, caller.actor(reason), job, due_at=known.now, args=args, again=again)
        return run, await not_awaited(connection, job, known.now)


@router.get("/health")
async def health(state: State, _: Viewer) -> ManagerHealth:
    """Whether all is well, and what to do if it is not."""
    known = await known_jobs(state, list(state.catalogue.jobs))
    async with state.database.reading() as connection:
        stands = await attention.standing(connection, known.jobs, state.settings.configured_channels, known.now)
        nodes = sum(row["alive"] for row in await connection.fetch(NODES.text))
    return judged(stands.matters, nodes, known.now)


def judged(matters: Sequence[Matter], nodes: int, now: datetime) -> ManagerHealth:
    """PURE: the word for how things stand."""
    alarming = [matter for matter in matters if matter.kind in ALARMING]
    word: Word = "unhealthy" if alarming or not nodes else "degraded" if matters else "healthy"
    return ManagerHealth(
        status=word, overall=word, isInitialized=nodes > 0, timestamp=now, database="connected", nodes=nodes,
        issues=[f"{matter.kind}: {matter.name}" for matter in matters],
        recommendations=[f"{matter.name}: {matter.told}" for matter in matters]
        + ([] if nodes else ["no node is alive: start the daemon"]),
    )  # fmt: skip
