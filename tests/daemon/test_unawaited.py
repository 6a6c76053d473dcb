"""What a run by hand does not wait for: each dependency that has not done its part for the same date."""

from __future__ import annotations

from datetime import UTC, date, datetime

import asyncpg

from daemon import Context, Cron
from daemon.unawaited import not_awaited
from tests.daemon.asking import ask
from tests.daemon.harness import a_job

MORNING = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
DAY = date(2026, 11, 21)
"""Of that instant, in Zurich."""


async def nothing(_: Context) -> None:
    """Do nothing."""


JOB = a_job(
    nothing, Cron("0 6 * * *", "Europe/Zurich"), "t.second", requires=("t.needed", "t.other"), after=("t.before",)
)


async def told(connection: asyncpg.Connection) -> list[str]:
    return await not_awaited(connection, JOB, MORNING)


async def test_each_that_has_not_spoken_for_the_date_is_named(connection: asyncpg.Connection) -> None:
    for name in ("t.needed", "t.other", "t.before"):
        await ask(connection, name, day=DAY.replace(day=20))  # by hand for another date: counts for nothing
    assert await told(connection) == [
        f"{name} has not run for 2026-11-21" for name in ("t.needed", "t.other", "t.before")
    ]
    needed = await ask(connection, "t.needed", day=DAY, state="failed", error="x")
    other = await ask(connection, "t.other", day=DAY, state="succeeded")
    before = await ask(connection, "t.before", day=DAY, state="waiting")
    assert await told(connection) == [
        f"t.needed is failed for 2026-11-21 (run {needed})", f"t.before is waiting for 2026-11-21 (run {before})",
    ]  # fmt: skip
    await connection.execute("UPDATE sexton.run SET state = 'failed', error = 'x' WHERE id = $1", before)
    await connection.execute("UPDATE sexton.run SET state = 'succeeded', error = NULL WHERE id = $1", needed)
    assert await told(connection) == []
    assert other


async def test_a_job_without_dependencies_skips_none(connection: asyncpg.Connection) -> None:
    assert await not_awaited(connection, a_job(nothing, Cron("0 6 * * *"), "t.alone"), MORNING) == []
