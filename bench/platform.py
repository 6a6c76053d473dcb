"""The productivity suite's platform for benches, loaded, and a job of it measured: seconds, the loop's lag, memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import psutil

from bench.stage import Stage
from daemon import Job, sql
from daemon.testing import perform
from workers.productivity.settings import Settings

LOAD_PEOPLE, LOAD_SESSIONS, LOAD_GOALS, SETTINGS = sql.load(
    __file__, "load_people", "load_sessions", "load_goals", "settings"
)
SET_INDEXES_ASIDE, MAKE_INDEXES = sql.load(__file__, "set_indexes_aside", "make_indexes")
Step = tuple[sql.Statement, Sequence[object]]

SESSIONS_EACH = 10
EVERY = 0.005
"""Seconds between two looks at the loop's lag."""


async def loaded(stage: Stage, people: int, now: datetime, *more: Step) -> str:
    """So many people, ten times as many sessions over half a year, a goal for every other; then more statements."""
    url = await stage.fresh()
    connection = await asyncpg.connect(url)
    try:
        stage.tell(f"loading {people:,} people with {people * SESSIONS_EACH:,} sessions")
        await connection.execute("SET timezone = 'UTC'")
        await connection.execute(SET_INDEXES_ASIDE.text)
        await connection.execute(LOAD_PEOPLE.text, people, now)
        await connection.execute(LOAD_SESSIONS.text, people * SESSIONS_EACH, now, people)
        await connection.execute(LOAD_GOALS.text, people, now)
        await connection.execute(MAKE_INDEXES.text)
        for statement, arguments in more:
            await connection.execute(statement.text, *arguments)
        await connection.execute("VACUUM (ANALYZE)")
    finally:
        await connection.close()
    return url


async def by_the_job(job: Job, url: str, due_at: datetime, settings: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """`s` from its claim to its recorded success, `lag_ms` the loop's worst, `mb` of memory it took, its `result`."""
    before, watch = psutil.Process().memory_info().rss, asyncio.create_task(worst_lag())
    await asyncio.sleep(0)
    began = time.perf_counter()
    run = await perform(job, url=url, due_at=due_at, settings=Settings(**(settings or {})), now=due_at)
    took = time.perf_counter() - began
    watch.cancel()
    if run.ending != "succeeded":
        raise RuntimeError(f"{job.name} {run.ending}: {run.error}")
    taken = (psutil.Process().memory_info().rss - before) / 1e6
    return {"s": took, "lag_ms": await watch * 1000, "mb": taken, "result": run.result}


async def worst_lag() -> float:
    """How much later than asked for the loop came back, at worst, until it is cancelled."""
    worst = 0.0
    try:
        while True:
            due = time.perf_counter() + EVERY
            await asyncio.sleep(EVERY)
            worst = max(worst, time.perf_counter() - due)
    except asyncio.CancelledError:
        return worst


async def by_statements(url: str, steps: Sequence[Step]) -> float:
    """Seconds for all of them, as one transaction."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(SETTINGS.text)
        began = time.perf_counter()
        async with connection.transaction():
            for statement, arguments in steps:
                await connection.execute(statement.text, *arguments)
        return time.perf_counter() - began
    finally:
        await connection.close()


async def effects_on(url: str, statement: sql.Statement) -> dict[str, tuple[int, str]]:
    """What a statement says was left: rows, and the sum of the hashes of what they say."""
    connection = await asyncpg.connect(url)
    try:
        return {row["what"]: (row["rows"], row["sum"]) for row in await connection.fetch(statement.text)}
    finally:
        await connection.close()
