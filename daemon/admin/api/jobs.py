"""Jobs: what they are, as they are in force now, and what was overridden."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import asyncpg
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from daemon import in_force, sql
from daemon.admin.access import Viewer
from daemon.admin.models import revised
from daemon.admin.paging import Cursor, Limit, Page, decoded, page_of
from daemon.admin.state import AdminState, State
from daemon.catalogue import Catalogue
from daemon.in_force import InForce
from daemon.job import Job
from daemon.jsonable import number
from daemon.schedule import Instant
from daemon.settings import JobSettings

(PAUSES,) = sql.load(__file__, "pauses")
LOG = logging.getLogger("sexton.admin")
UPCOMING = 10

router = APIRouter(prefix="/api/v1", tags=["jobs"])


class DueInstant(BaseModel):
    """`at` has the offset of the job's zone. `note` says what a clock change does to it, if anything."""

    at: datetime
    note: str | None = None

    @classmethod
    def of(cls, instant: Instant, job: Job) -> DueInstant:
        return cls(at=instant.at.astimezone(in_force.zone_of(job)), note=instant.note)


class LastRun(BaseModel):
    due_at: datetime
    state: str
    duration_s: float | None


class JobSummary(BaseModel):
    """A job as it is in force. `schedule` is for machines, `schedule_words` for people."""

    name: str
    suite: str
    summary: str
    kind: Literal["cron", "every", "ondemand", "poll", "event"]
    schedule: str
    schedule_words: str
    timezone: str
    enabled: bool
    sensitive: bool
    paused_by: str | None
    paused_at: datetime | None
    running_run: int | None
    next: DueInstant | None
    last: LastRun | None


class JobDetail(JobSummary):
    """`origins`: who set each value: decorator, file, environment, credential or override."""

    upcoming: list[DueInstant]
    aliases: list[str]
    priority: str
    timeout_s: float
    retries: int | None = Field(description="Null: by priority.")
    retry_delay_s: float
    catch_up: str
    max_lateness_s: float | None
    overlap: str
    requires: list[str]
    after: list[str]
    dependency_timeout_s: float
    connections: int
    business_day_offset: int
    expected_s: float | None
    retention_s: float
    overrides: dict[str, Any]
    origins: dict[str, str]
    revision: int
    changed_by: str | None
    changed_at: datetime | None


class Known:
    """What is known of some jobs: as in force, and their rows."""

    def __init__(self, catalogue: Catalogue, jobs: InForce, rows: Sequence[asyncpg.Record], now: datetime) -> None:
        self.catalogue, self.jobs, self.now = catalogue, jobs, now
        self.rows = {row["name"]: row for row in rows}

    def of(self, name: str, column: str) -> Any:
        """A column of the job's row; None while no node has met the job."""
        return self.rows[name][column] if name in self.rows else None


async def known_jobs(state: AdminState, names: Sequence[str]) -> Known:
    """Read what the ledger says of these jobs, which the catalogue has. Raises `DatabaseDown` and `TooBusy`."""
    catalogue = state.catalogue
    async with state.database.reading() as connection:
        jobs = await in_force.read(connection, catalogue, LOG.warning, only=names)
        rows = await connection.fetch(PAUSES.text, list(names))
    return Known(catalogue, jobs, rows, state.engine.clock.now())


@router.get("/jobs")
async def list_jobs(
    state: State, _: Viewer, limit: Limit = 100, cursor: Cursor = None,
    suite: Annotated[str | None, Query(max_length=100)] = None,
) -> Page[JobSummary]:  # fmt: skip
    """Every job of this configuration, by name, as it is in force."""
    (after,) = decoded(cursor, str)
    jobs = state.catalogue.jobs
    names = [n for n in sorted(jobs) if n > (after or "") and suite in (None, jobs[n].suite)][: limit + 1]
    known = await known_jobs(state, names)
    return page_of(names, limit, lambda name: JobSummary(**summary(name, known)), lambda name: (name,))


@router.get("/jobs/{job}")
async def show_job(state: State, _: Viewer, response: Response, job: str) -> JobDetail:
    """One job, by name or alias. Its ETag, sent back as If-Match, keeps an edit from undoing somebody else's."""
    name = state.catalogue.resolve(job).name
    known = await known_jobs(state, [name])
    found = detail(name, known)
    revised(response, found.revision)
    return found


def summary(name: str, known: Known) -> dict[str, Any]:
    """The fields of `JobSummary`."""
    job = known.jobs.jobs[name]
    last = known.jobs.last.get(name)
    coming = in_force.upcoming(job, known.now, 1)
    return {
        "name": name,
        "suite": job.suite,
        "summary": job.summary,
        "kind": in_force.kind_of(job),
        "schedule": in_force.schedule_text(job),
        "schedule_words": in_force.schedule_words(job),
        "timezone": in_force.zone_of(job).key,
        "enabled": job.enabled,
        "sensitive": job.sensitive,
        "paused_by": known.of(name, "paused_by"),
        "paused_at": known.of(name, "paused_at"),
        "running_run": known.of(name, "running_run"),
        "next": DueInstant.of(coming[0], job) if coming else None,
        "last": {key: last[key] for key in ("due_at", "state", "duration_s")} if last else None,
    }


def detail(name: str, known: Known) -> JobDetail:
    job = known.jobs.jobs[name]
    return JobDetail(
        **summary(name, known),
        upcoming=[DueInstant.of(i, job) for i in in_force.upcoming(job, known.now, UPCOMING)],
        aliases=list(job.aliases), priority=job.priority.name.lower(), timeout_s=number(job.timeout),
        retries=job.retries, retry_delay_s=number(job.retry_delay), catch_up=str(job.catch_up),
        max_lateness_s=None if job.max_lateness is None else number(job.max_lateness), overlap=str(job.overlap),
        requires=list(job.requires), after=list(job.after), dependency_timeout_s=number(job.dependency_timeout),
        connections=job.connections, business_day_offset=job.business_day_offset,
        expected_s=None if job.expected is None else number(job.expected), retention_s=number(job.retention),
        overrides=json.loads(known.of(name, "overrides") or "{}"), origins=_origins(name, known),
        revision=known.of(name, "revision") or 1, changed_by=known.of(name, "changed_by"),
        changed_at=known.of(name, "changed_at"),
    )  # fmt: skip


def _origins(name: str, known: Known) -> dict[str, str]:
    overridden = known.jobs.overridden.get(name, frozenset())
    configured = known.catalogue.origins.get(name, {})
    return {k: "override" if k in overridden else in_force.origin(configured.get(k)) for k in JobSettings.model_fields}
