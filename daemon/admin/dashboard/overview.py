"""The first page: what wants attention, the day around now, what runs, queues, messages, nodes, recent failures."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import asyncpg
from fastapi import APIRouter, Request
from fastapi.responses import Response

from daemon import attention, in_force, sql
from daemon.actions_approval import LISTED
from daemon.admin.access import Viewer
from daemon.admin.api.jobs import LOG
from daemon.admin.api.nodes import NODES
from daemon.admin.dashboard import timeline
from daemon.admin.dashboard.node_page import to_show
from daemon.admin.dashboard.spans import Span, schedule_of
from daemon.admin.dashboard.timeline import DUE, SLOT, SLOTS, Counts
from daemon.admin.dashboard.watching import watched
from daemon.admin.live import Part
from daemon.admin.pages import page_for, rendered
from daemon.admin.state import AdminState, State
from daemon.in_force import InForce
from daemon.job import Job

PAST, FAILURES = sql.load(__file__, "past", "failures")
DAY_EVERY = 5.0
MOST_APPROVALS = 10
HOURS_APART = 6

router = APIRouter(include_in_schema=False)


@router.get("/")
async def show(state: State, caller: Viewer) -> Response:
    parts = {"attention": await attention_html(state), "day": await day_html(state), "now": await now_html(state)}
    return page_for(caller, "overview.html", "Overview", **parts)


@router.get("/live/overview")
async def live(request: Request, state: State, _: Viewer) -> Response:
    return await watched(
        request, state, attention=Part("attention", lambda: attention_html(state)),
        day=Part("day", lambda: day_html(state), DAY_EVERY), now=Part("now", lambda: now_html(state)),
    )  # fmt: skip


async def attention_html(state: AdminState) -> str:
    """What a person should look at first. Raises `DatabaseDown` and `TooBusy`."""
    now, channels = state.engine.clock.now(), state.settings.configured_channels
    async with state.database.reading() as connection:
        jobs = await in_force.read(connection, state.catalogue, LOG.warning)
        stands = await attention.standing(connection, jobs, channels, now)
        approvals = await connection.fetch(LISTED.text, True, None, MOST_APPROVALS)
    return rendered("overview_attention.html", matters=stands.matters, approvals=approvals)


async def now_html(state: AdminState) -> str:
    """What changes from second to second: runs, nodes, queues, failures. Raises `DatabaseDown` and `TooBusy`."""
    async with state.database.reading() as connection:
        nodes = to_show(await connection.fetch(NODES.text))
        queues, _ = await attention.queues(connection)
        failures = await connection.fetch(FAILURES.text)
    running = [(shown.node.name, run) for shown in nodes for run in shown.node.running]
    return rendered("overview_now.html", nodes=nodes, running=running, queues=queues, failures=failures)


async def day_html(state: AdminState) -> str:
    """The timeline of the last and the next 24 hours. Raises `DatabaseDown` and `TooBusy`."""
    now = state.engine.clock.now()
    start = timeline.slot_start(now)
    async with state.database.reading() as connection:
        jobs = await in_force.read(connection, state.catalogue, LOG.warning)
        past = await _past(connection, jobs, start)
    rows: list[dict[str, Any]] = []
    for name, job in sorted(jobs.jobs.items()):
        counts = past.get(name, {})
        _add_coming(counts, job, now)
        if counts:
            rows.append({"job": name, "bars": timeline.bars(counts), "told": timeline.described(counts)})
        await asyncio.sleep(0)  # a house of many jobs must not hold the loop up
    step = HOURS_APART * 3600 // int(SLOT.total_seconds())
    hours = [(slot, start + slot * SLOT) for slot in range(-SLOTS, SLOTS, step)]
    return rendered(
        "overview_day.html",
        rows=rows,
        slots=SLOTS,
        hours=hours,
        at=lambda slot: start + slot * SLOT,
        any=bool(jobs.jobs),
    )


async def _past(connection: asyncpg.Connection, jobs: InForce, start: datetime) -> Mapping[str, Counts]:
    since, seconds = start - SLOTS * SLOT, int(SLOT.total_seconds())
    found: dict[str, list[tuple[int, str, int]]] = {}
    for row in await connection.fetch(PAST.text, list(jobs.jobs), since, seconds, SLOTS):
        of = found.setdefault(row["job"], [])
        if row["slot"] is not None:
            of.append((row["slot"], row["state"], row["instants"]))
        else:
            span = Span(row["due_at"], row["due_until"], row["instants"])
            of += [
                (slot, row["state"], n) for slot, n in timeline.of_span(schedule_of(jobs.jobs[row["job"]]), span, start)
            ]
    return {job: timeline.past(rows) for job, rows in found.items()}


def _add_coming(counts: Counts, job: Job, now: datetime) -> None:
    """What is due later, into the same slots; polls and handlers of events are never due by themselves."""
    if not job.enabled:
        return
    for slot, instants in enumerate(timeline.coming(schedule_of(job), now)):
        if instants:
            counts.setdefault(slot, Counter())[DUE] += instants
