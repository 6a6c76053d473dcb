"""The productivity suite's daily analytics, against bare statements that leave the same rows; memory and loop lag."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import psutil

from bench.measure import median
from bench.report import Result, Table, Target
from bench.stage import Stage
from daemon import sql
from daemon.testing import perform
from workers.productivity.daily_analytics import daily_analytics
from workers.productivity.settings import Settings

LOAD_PEOPLE, LOAD_SESSIONS, LOAD_GOALS, COUNTED_BEFORE, SETTINGS, EFFECTS = sql.load(
    __file__, "load_people", "load_sessions", "load_goals", "counted_before", "settings", "effects"
)
FORGET, ACTIVITY, COHORTS, PEOPLE, RETENTION, SESSIONS, GOALS = sql.load(
    __file__, "bare_forget", "bare_activity", "bare_cohorts", "bare_people", "bare_retention", "bare_sessions",
    "bare_goals",
)  # fmt: skip

PEOPLE_AT_SCALE_1, QUICK_PEOPLE = 1_000_000, 500
SESSIONS_EACH = 10
NOW = datetime(2026, 11, 26, 1, tzinfo=UTC)
DAY = NOW.date() - timedelta(days=1)
FIRST = DAY - timedelta(days=2)
EVERY = 0.005
"""Seconds between two looks at the loop's lag."""


async def run(stage: Stage) -> Result:
    people = QUICK_PEOPLE if stage.options.quick else round(PEOPLE_AT_SCALE_1 * stage.options.scale)
    platform = await loaded(stage, people)
    ours, bare, effects = list[dict[str, float]](), list[float](), dict[str, Any]()
    for n in range(1, stage.options.rounds + 1):
        async with stage.copy_of(platform) as url:
            stage.tell(f"round {n}: daily_analytics")
            ours.append(await by_the_job(url))
            effects = await effects_on(url)
        async with stage.copy_of(platform) as url:
            stage.tell(f"round {n}: the bare statements")
            bare.append(await by_statements(url))
            expected = await effects_on(url)
        assert effects == expected, f"the job left {effects}, the bare statements {expected}"
    return told(people, ours, bare, effects)


async def loaded(stage: Stage, people: int) -> str:
    """So many people, ten times as many sessions over half a year, and what the runs before left."""
    url = await stage.fresh()
    connection = await asyncpg.connect(url)
    try:
        stage.tell(f"loading {people:,} people with {people * SESSIONS_EACH:,} sessions")
        await connection.execute("SET timezone = 'UTC'")
        await connection.execute(LOAD_PEOPLE.text, people, NOW)
        await connection.execute(LOAD_SESSIONS.text, people * SESSIONS_EACH, NOW, people)
        await connection.execute(LOAD_GOALS.text, people, NOW)
        await connection.execute(COUNTED_BEFORE.text, DAY - timedelta(days=31), DAY - timedelta(days=1))
        await connection.execute("VACUUM (ANALYZE)")
    finally:
        await connection.close()
    return url


async def by_the_job(url: str) -> dict[str, float]:
    """Seconds from its claim to its recorded success, the loop's worst lag in ms, and MB of memory it took."""
    before, watch = psutil.Process().memory_info().rss, asyncio.create_task(worst_lag())
    await asyncio.sleep(0)
    began = time.perf_counter()
    run = await perform(daily_analytics, url=url, due_at=NOW, settings=Settings(), now=NOW)
    took = time.perf_counter() - began
    watch.cancel()
    if run.ending != "succeeded":
        raise RuntimeError(f"{daily_analytics.name} {run.ending}: {run.error}")
    return {"s": took, "lag_ms": await watch * 1000, "mb": (psutil.Process().memory_info().rss - before) / 1e6}


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


async def by_statements(url: str) -> float:
    """Seconds for all of them, as one transaction."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(SETTINGS.text)
        began = time.perf_counter()
        async with connection.transaction():
            await connection.execute(FORGET.text, FIRST, DAY)
            for statement in (COHORTS, ACTIVITY):
                await connection.execute(statement.text, FIRST, DAY, NOW)
            for statement in (PEOPLE, RETENTION):
                await connection.execute(statement.text, FIRST, DAY)
            for statement in (SESSIONS, GOALS):
                await connection.execute(statement.text, FIRST, DAY, NOW)
        return time.perf_counter() - began
    finally:
        await connection.close()


async def effects_on(url: str) -> dict[str, tuple[int, str]]:
    connection = await asyncpg.connect(url)
    try:
        return {row["what"]: (row["rows"], row["sum"]) for row in await connection.fetch(EFFECTS.text)}
    finally:
        await connection.close()


def told(people: int, ours: list[dict[str, float]], bare: list[float], effects: dict[str, Any]) -> Result:
    seconds = [own["s"] for own in ours]
    ratio = median([own / peer for own, peer in zip(seconds, bare, strict=True)])
    lag, memory = (max(own[what] for own in ours) for what in ("lag_ms", "mb"))
    table = Table(
        f"daily_analytics, {people:,} people, {people * SESSIONS_EACH:,} sessions, durable PostgreSQL",
        ("", "s", "bare s", "of the bare statements", "loop's lag, ms", "MB taken"),
        [("three days", median(seconds), median(bare), ratio, lag, memory)],
        "Both left the same activity, people, retention, sessions and goals, compared; the job also features, overdue\n"
        "  goals, lead times, bad sessions and anomalies. The bare ones use PostgreSQL's zones and know no moves.",
    )
    targets = [
        Target("daily_analytics, times the bare statements", ratio, 2),
        Target("loop's lag, ms", lag, 50),
        Target("MB taken", memory, 50),
    ]
    figures = {
        "people": people,
        "effects": {what: rows for what, (rows, _) in effects.items()},
        "ours": ours,
        "bare": bare,
    }
    return Result("analytics", [table], targets, figures)
