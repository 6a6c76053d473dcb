"""The weekly summary waits for the memory cleanup of its own date, on a real node."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from daemon.events import RunEnded
from tests.daemon.asking import ask, the_run
from tests.daemon.harness import Node, node
from tests.workers.tutoring.school import School
from workers.tutoring.daily_memory_cleanup import daily_memory_cleanup as cleanup
from workers.tutoring.settings import Settings
from workers.tutoring.weekly_summary_generation import weekly_summary_generation as summary

NOW = datetime.now(UTC).replace(microsecond=0)
TODAY = NOW.date()
SETTINGS = {"tutoring": Settings()}


@pytest.fixture
async def school(url: str, connection: asyncpg.Connection) -> School:
    school = School(url, connection)
    await school.student(1)
    return school


async def waiting(school: School) -> int:
    return await ask(school.connection, summary.name, due_at=NOW, day=TODAY, state="waiting", trigger="schedule")


async def state(school: School, run: int) -> tuple[str, str | None]:
    found = await the_run(school.connection, run)
    return found["state"], found["reason"]


async def succeeded(n: Node, run: int) -> None:
    await n.event(RunEnded, lambda e: e.run == run and e.outcome == "succeeded")


async def test_a_cleanup_by_hand_for_another_date_does_not_count_and_a_late_one_does(school: School) -> None:
    async with node(school.url, cleanup, summary, settings=SETTINGS) as n:
        run = await waiting(school)
        yesterday = await ask(school.connection, cleanup.name, due_at=NOW - timedelta(days=1),
                              day=TODAY - timedelta(days=1))  # fmt: skip
        await succeeded(n, yesterday)
        await n.engine.dispatcher.step()
        assert await state(school, run) == ("waiting", None)
        late = await ask(school.connection, cleanup.name, due_at=NOW, day=TODAY)
        await succeeded(n, late)
        await succeeded(n, run)


async def test_a_cleanup_that_fails_skips_the_summary_and_its_later_success_brings_it_back(school: School) -> None:
    failed = await ask(school.connection, cleanup.name, due_at=NOW, day=TODAY, state="failed", error="disk full")
    run = await waiting(school)
    async with node(school.url, cleanup, summary, settings=SETTINGS) as n:
        await n.engine.dispatcher.step()
        assert await state(school, run) == ("skipped", f"dependency {cleanup.name} failed (run {failed})")
        await school.connection.execute("UPDATE sexton.run SET state = 'ready', error = NULL WHERE id = $1", failed)
        n.engine.wake("dispatcher")
        await succeeded(n, failed)
        await succeeded(n, run)


async def test_a_cleanup_that_was_skipped_skips_the_summary_and_says_so(school: School) -> None:
    skipped = await ask(school.connection, cleanup.name, due_at=NOW, day=TODAY, state="skipped",
                        reason="paused by asha", trigger="schedule")  # fmt: skip
    run = await waiting(school)
    async with node(school.url, cleanup, summary, settings=SETTINGS) as n:
        await n.engine.dispatcher.step()
        assert await state(school, run) == ("skipped", f"dependency {cleanup.name} skipped (run {skipped})")


async def test_a_cleanup_that_never_came_is_waited_for_as_long_as_the_job_says(school: School) -> None:
    long_ago = NOW - summary.dependency_timeout - timedelta(minutes=1)
    run = await ask(school.connection, summary.name, due_at=long_ago, day=TODAY, state="waiting", trigger="schedule")
    async with node(school.url, cleanup, summary, settings=SETTINGS) as n:
        await n.engine.dispatcher.step()
        assert await state(school, run) == ("skipped", f"dependency {cleanup.name} did not run for {TODAY}")
