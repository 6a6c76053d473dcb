"""Memories over eight months old go, and expired ones; what is exactly as old stays; the report says what it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from tests.workers.tutoring.school import School
from workers.tutoring.daily_memory_cleanup import daily_memory_cleanup

MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)


@pytest.fixture
async def school(url: str, connection: asyncpg.Connection) -> School:
    school = School(url, connection)
    await school.student(1)
    return school


async def clean(school: School, at: datetime = MIDNIGHT, **options: Any) -> dict[str, Any]:
    result: dict[str, Any] = await school.succeed(daily_memory_cleanup, at, **options)
    return result


async def test_an_empty_platform_has_nothing_to_forget(school: School) -> None:
    result = await clean(school)
    physical = result.pop("physical_bytes_before"), result.pop("physical_bytes_after")
    assert physical[0] == physical[1]
    assert result == {
        "cutoff": "2026-03-22T00:00:00+00:00", "found": 0, "logical_bytes_found": 0, "removed": 0,
        "logical_bytes_freed": 0, "left_behind": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("midnight", "cutoff"),
    [
        (MIDNIGHT, datetime(2026, 3, 22, tzinfo=UTC)),
        (datetime(2026, 10, 31, tzinfo=UTC), datetime(2026, 2, 28, tzinfo=UTC)),
        (datetime(2028, 10, 31, tzinfo=UTC), datetime(2028, 2, 29, tzinfo=UTC)),
        (datetime(2028, 2, 29, tzinfo=UTC), datetime(2027, 6, 29, tzinfo=UTC)),
    ],
)
async def test_eight_months_are_of_the_calendar(school: School, midnight: datetime, cutoff: datetime) -> None:
    kept = await school.memory(1, cutoff)
    await school.memory(1, cutoff - INSTANT)
    result = await clean(school, midnight)
    assert (result["cutoff"], result["removed"]) == (cutoff.isoformat(), 1)
    assert await school.rows("SELECT id FROM tutoring.study_chat_memory") == [(kept,)]


async def test_what_has_expired_goes_however_young(school: School) -> None:
    await school.memory(1, MIDNIGHT - timedelta(days=1), MIDNIGHT)
    kept = await school.memory(1, MIDNIGHT - timedelta(days=1), MIDNIGHT + INSTANT)
    assert (await clean(school))["removed"] == 1
    assert await school.rows("SELECT id FROM tutoring.study_chat_memory") == [(kept,)]


async def test_what_is_freed_was_measured_before_and_the_files_keep_their_size(school: School) -> None:
    await school.connection.execute(
        "INSERT INTO tutoring.study_chat_memory (student_id, content, created_at) "
        "SELECT 1, repeat('x', 100), '2020-01-01' FROM generate_series(1, 2500)"
    )
    size = await school.value("SELECT sum(tutoring.memory_bytes(m)) FROM tutoring.study_chat_memory m")
    result = await clean(school, settings={"cleanup": {"batch": 1000}})
    assert (result["found"], result["removed"], result["left_behind"]) == (2500, 2500, 0)
    assert result["logical_bytes_found"] == result["logical_bytes_freed"] == size
    assert 2500 * 100 < size < 2500 * 250
    assert result["physical_bytes_after"] >= result["physical_bytes_before"] > size
    assert await school.count("run_tally") == 0


async def test_the_cutoff_is_of_the_instant_that_was_due_and_not_of_when_it_ran(school: School) -> None:
    """A table that grows meanwhile, and a run that is late, lose nothing that was young enough at midnight."""
    await school.memory(1, datetime(2026, 3, 22, tzinfo=UTC), MIDNIGHT + timedelta(hours=1))
    result = await clean(school, now=MIDNIGHT + timedelta(hours=5))
    assert result["removed"] == 0


async def test_a_second_run_finds_nothing(school: School) -> None:
    await school.memory(1, datetime(2020, 1, 1, tzinfo=UTC))
    assert (await clean(school))["removed"] == 1
    assert (await clean(school, MIDNIGHT + timedelta(days=1)))["removed"] == 0


async def test_a_retry_goes_on_behind_the_last_batch_and_reports_what_all_tries_removed(school: School) -> None:
    await school.connection.execute(
        "INSERT INTO tutoring.study_chat_memory (student_id, content, created_at) "
        "SELECT 1, 'x', '2020-01-01' FROM generate_series(1, 30)"
    )
    await school.connection.execute(
        "CREATE FUNCTION public.mine() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'cut off'; END $$;"
        "CREATE TRIGGER mine BEFORE DELETE ON tutoring.study_chat_memory FOR EACH ROW WHEN (OLD.id = 25) "
        "EXECUTE FUNCTION public.mine()"
    )
    first = await school.perform(daily_memory_cleanup, MIDNIGHT, settings={"cleanup": {"batch": 10}})
    assert (first.ending, await school.count("study_chat_memory")) == ("failed", 10)
    await school.connection.execute("DROP TRIGGER mine ON tutoring.study_chat_memory")
    result = await clean(school, resume=first.id)
    assert (result["found"], result["removed"], result["left_behind"]) == (30, 30, 0)


async def test_a_memory_that_somebody_holds_is_left_for_the_next_night(school: School) -> None:
    held = await school.memory(1, datetime(2020, 1, 1, tzinfo=UTC))
    await school.memory(1, datetime(2020, 1, 1, tzinfo=UTC))
    async with school.connection.transaction():
        await school.connection.execute("SELECT FROM tutoring.study_chat_memory WHERE id = $1 FOR UPDATE", held)
        result = await clean(school)
    assert (result["removed"], result["left_behind"]) == (1, 1)
    assert (await clean(school, MIDNIGHT + timedelta(days=1)))["removed"] == 1
