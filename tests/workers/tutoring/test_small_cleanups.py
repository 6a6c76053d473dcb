"""The cache and the suite's own notes: what is over its age goes in batches, the rest stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from tests.workers.tutoring.school import School
from workers.tutoring.cache_cleanup import cache_cleanup
from workers.tutoring.execution_log_cleanup import execution_log_cleanup

SIX = datetime(2026, 11, 22, 6, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)


@pytest.fixture
def school(url: str, connection: asyncpg.Connection) -> School:
    return School(url, connection)


async def test_an_empty_platform_has_nothing_to_clean(school: School) -> None:
    assert await school.succeed(cache_cleanup, SIX) == {"removed": 0, "bytes_freed": 0}
    assert await school.succeed(execution_log_cleanup, SIX) == {
        "provider_checks": 0, "system_checks": 0, "transitions": 0, "incidents": 0,
    }  # fmt: skip


async def test_an_entry_that_expires_at_that_instant_has_expired(school: School) -> None:
    for key, at in (("gone", SIX), ("kept", SIX + INSTANT)):
        await school.insert("cache_entry", key=key, value='"<script>🙂"', expires_at=at)
    result = await school.succeed(cache_cleanup, SIX)
    assert result["removed"] == 1
    assert result["bytes_freed"] > 0
    assert await school.rows("SELECT key FROM tutoring.cache_entry") == [("kept",)]


async def test_many_entries_go_in_batches_and_those_that_are_held_stay(school: School) -> None:
    await school.connection.execute(
        "INSERT INTO tutoring.cache_entry SELECT n::text, '1', $1 FROM generate_series(1, 250) n", SIX
    )
    async with school.connection.transaction():
        await school.connection.execute("SELECT FROM tutoring.cache_entry WHERE key = '7' FOR UPDATE")
        result = await school.succeed(cache_cleanup, SIX, settings={"cleanup": {"batch": 100}})
    assert result["removed"] == 249
    assert await school.rows("SELECT key FROM tutoring.cache_entry") == [("7",)]


async def test_checks_go_after_a_month_and_history_after_a_year(school: School) -> None:
    month, year = SIX - timedelta(days=30), SIX - timedelta(days=365)
    for old in (timedelta(0), INSTANT):
        await school.insert("provider_check", provider_id=1, checked_at=month - old, ok=True, verdict="up")
        await school.insert("system_check", checked_at=month - old, overall="healthy", checks="{}",
                            recommendations="[]")  # fmt: skip
        await school.insert("provider_transition", provider_id=1, at=year - old, from_state="OK", to_state="WARN",
                            reason="83 % of requests")  # fmt: skip
        await school.insert("provider_incident", provider_id=1, verdict="down", started_at=year - old - INSTANT,
                            ended_at=year - old)  # fmt: skip
    await school.insert("provider_incident", provider_id=2, verdict="down", started_at=year - timedelta(days=9))
    assert await school.succeed(execution_log_cleanup, SIX) == {
        "provider_checks": 1, "system_checks": 1, "transitions": 1, "incidents": 1,
    }  # fmt: skip
    assert await school.rows("SELECT checked_at FROM tutoring.provider_check") == [(month,)]
    assert await school.rows("SELECT ended_at FROM tutoring.provider_incident ORDER BY 1") == [(year,), (None,)]


async def test_no_batch_is_the_last_while_one_of_the_logs_is_full(school: School) -> None:
    await school.connection.execute(
        "INSERT INTO tutoring.system_check SELECT $1::timestamptz - n * interval '1 day', 'healthy', '{}', '[]' "
        "FROM generate_series(31, 61) n", SIX
    )  # fmt: skip
    result = await school.succeed(execution_log_cleanup, SIX, settings={"cleanup": {"batch": 10}})
    assert result["system_checks"] == 31
    assert await school.count("system_check") == 0
