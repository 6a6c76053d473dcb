"""Jobs: all of them, and one with its schedule, its days, its runs and what a person may do to it."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import asyncpg
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from daemon import in_words, sql
from daemon.admin.access import Viewer
from daemon.admin.api.audit import entries
from daemon.admin.api.jobs import JobSummary, detail, known_jobs, summary
from daemon.admin.api.runs import Wanted, matching
from daemon.admin.api.stats import stats_of
from daemon.admin.dashboard import calendar
from daemon.admin.dashboard.spans import schedule_of
from daemon.admin.dashboard.timeline import told
from daemon.admin.dashboard.watching import watched
from daemon.admin.live import Part
from daemon.admin.models import Text
from daemon.admin.pages import page_for, rendered
from daemon.admin.paging import asked
from daemon.admin.state import AdminState, State
from daemon.in_force import schedule_text, zone_of
from daemon.job import Job, Poll

RECENT, CALENDAR = sql.load(__file__, "recent", "calendar")
SPARKS = 60
RUNS = 15
CHANGES = 5
JOB_EVERY = 1.0

router = APIRouter(include_in_schema=False)
Search = Annotated[Text, Query(max_length=100)]


@router.get("/jobs")
async def list_jobs(state: State, caller: Viewer, q: Search = "") -> Response:
    return page_for(caller, "jobs.html", "Jobs", q=q, list=await list_html(state, q))


@router.get("/live/jobs")
async def live_jobs(request: Request, state: State, _: Viewer, q: Search = "") -> Response:
    return await watched(request, state, list=Part(f"jobs {q}", lambda: list_html(state, q), JOB_EVERY))


async def list_html(state: AdminState, q: str) -> str:
    names = sorted(name for name in state.catalogue.jobs if q.lower() in name)
    known = await known_jobs(state, names)
    return rendered("jobs_list.html", jobs=[JobSummary(**summary(name, known)) for name in names], q=q)


@router.get("/jobs/{job}")
async def show_job(state: State, caller: Viewer, job: Text) -> Response:
    name = state.catalogue.resolve(job).name
    found = detail(name, await known_jobs(state, [name]))
    return page_for(caller, "job.html", "Jobs", job=found, now=await job_html(state, name))


@router.get("/live/jobs/{job}")
async def live_job(request: Request, state: State, _: Viewer, job: Text) -> Response:
    name = state.catalogue.resolve(job).name
    return await watched(request, state, now=Part(f"job {name}", lambda: job_html(state, name), JOB_EVERY))


async def job_html(state: AdminState, name: str) -> str:
    """What changes of a job. Raises `DatabaseDown` and `TooBusy`."""
    known = await known_jobs(state, [name])
    found, job = detail(name, known), known.jobs.jobs[name]
    zone = zone_of(job)
    today = known.now.astimezone(zone).date()
    first = today - timedelta(days=7 * calendar.WEEKS)
    async with state.database.reading() as connection:
        recent = await connection.fetch(RECENT.text, name, SPARKS)
        days = await connection.fetch(CALENDAR.text, name, zone.key, first)
    sparks = calendar.sparks([(r["id"], r["state"], r["seconds"], _told(r)) for r in reversed(recent)])
    runs = (await matching(state, Wanted(jobs=[name]), RUNS, None)).items
    week = await stats_of(state, [name], timedelta(days=7))
    changes = await entries(state, CHANGES, None, target=name)
    dependants = sorted(n for n, other in known.catalogue.jobs.items() if name in (*other.requires, *other.after))
    weeks = calendar.weeks(calendar.on_days([dict(d) for d in days], schedule_of(job), zone), today)
    return rendered(
        "job_now.html", job=found, sparks=sparks, told=told(Counter(s.state for s in sparks)), weeks=weeks,
        gaps=calendar.gaps(weeks), today=today, runs_on=lambda first, last: _runs_on(name, first, last, zone),
        runs=runs, stats=week[0] if week else None, dependants=dependants, queue=_queue(state, job),
        changes=changes.items, configured=_configured(state.catalogue.jobs[name]),
    )  # fmt: skip


def _queue(state: AdminState, job: Job) -> str | None:
    """The work queue that wakes it, if one does."""
    wake = job.trigger.wake if isinstance(job.trigger, Poll) else None
    return wake if wake in state.catalogue.queues else None


def _runs_on(name: str, first: date, last: date, zone: ZoneInfo) -> str:
    """The address of the job's runs of these local days."""
    since, until = (datetime.combine(day, time(), zone) for day in (first, last + timedelta(days=1)))
    return "/runs?" + asked(job=name, since=in_words.utc_field(since), until=in_words.utc_field(until))


def _configured(job: Job) -> dict[str, str]:
    """What can be overridden, as it would be without; in words."""
    return {
        "schedule": schedule_text(job), "timezone": zone_of(job).key, "timeout": in_words.duration(job.timeout),
        "retries": "by priority" if job.retries is None else str(job.retries),
        "retry_delay": in_words.duration(job.retry_delay), "enabled": "yes" if job.enabled else "no",
    }  # fmt: skip


def _told(run: asyncpg.Record) -> str:
    """`run 7, due 2026-11-22 15:30:00 UTC: failed in 1.5 s: ValueError: no`."""
    took = f" in {in_words.duration(run['seconds'])}" if run["seconds"] is not None else ""
    why = run["reason"] or run["error"]
    return f"run {run['id']}, due {in_words.moment(run['due_at'])}: {run['state']}{took}" + (f": {why}" if why else "")
