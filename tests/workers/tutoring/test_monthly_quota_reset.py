"""Periods are closed and opened, never set to zero; what is counted late lands in the month it was used in."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from tests.system.waiting import row
from tests.workers.tutoring.school import School
from workers.tutoring import monthly_quota_reset as resetting
from workers.tutoring.monthly_quota_reset import monthly_quota_reset

DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)
PERIODS = """
    SELECT subject_kind, subject_id, period_start::text, used, limit_n, closed_at FROM tutoring.quota_period
    ORDER BY 1, 2, 3
"""
USE = "SELECT tutoring.use_quota('student', $1, $2, $3)"


@pytest.fixture
async def school(url: str, connection: asyncpg.Connection) -> School:
    school = School(url, connection)
    await school.student(1, monthly_tokens=1000)
    await school.student(2)
    return school


async def reset(school: School, at: datetime = DECEMBER, **options: Any) -> dict[str, Any]:
    result: dict[str, Any] = await school.succeed(monthly_quota_reset, at, **options)
    return result


async def test_without_quotas_nothing_is_opened(school: School) -> None:
    await school.connection.execute("UPDATE tutoring.profile SET monthly_tokens = NULL")
    assert await reset(school) == {"period": "2026-12-01", "closed": 0, "opened": 0}


async def test_the_old_period_is_closed_as_it_was_and_the_new_one_has_todays_limit(school: School) -> None:
    assert await school.value(USE, 1, 300, datetime(2026, 11, 30, 23, 59, tzinfo=UTC)) == 700
    assert await school.value(USE, 2, 5, datetime(2026, 11, 2, tzinfo=UTC)) is None
    await school.connection.execute("UPDATE tutoring.profile SET monthly_tokens = 2000 WHERE id = 1")
    await school.insert("provider_limit", provider_id=1, dim="month", per="month", limit_n=10**9)
    assert await reset(school) == {"period": "2026-12-01", "closed": 2, "opened": 3}
    assert await school.rows(PERIODS) == [
        ("provider", 1, "2026-12-01", 0, 10**9, None),
        ("student", 1, "2026-11-01", 300, 1000, DECEMBER),
        ("student", 1, "2026-12-01", 0, 2000, None),
        ("student", 2, "2026-11-01", 5, None, DECEMBER),
        ("student", 2, "2026-12-01", 0, None, None),
    ]


async def test_again_changes_nothing(school: School) -> None:
    await school.value(USE, 1, 300, DECEMBER - timedelta(days=3))
    await reset(school)
    await school.value(USE, 1, 7, DECEMBER + timedelta(minutes=1))
    before = await school.rows(PERIODS)
    assert await reset(school, DECEMBER + timedelta(hours=1)) == {"period": "2026-12-01", "closed": 0, "opened": 0}
    assert await school.rows(PERIODS) == before


async def test_what_is_counted_late_lands_in_the_month_it_was_used_in(school: School) -> None:
    """And what is counted before the reset has run, in the month that has begun."""
    await school.value(USE, 1, 100, DECEMBER - timedelta(seconds=1))
    await school.value(USE, 1, 1, DECEMBER)
    await reset(school)
    assert await school.value(USE, 1, 50, DECEMBER - timedelta(microseconds=1)) == 850
    assert [row[2:4] for row in await school.rows(PERIODS)] == [("2026-11-01", 150), ("2026-12-01", 1)]
    assert (await school.rows(PERIODS))[0][5] == DECEMBER


async def test_months_that_were_missed_are_opened_one_after_the_other(school: School) -> None:
    await school.value(USE, 1, 100, datetime(2026, 9, 5, tzinfo=UTC))
    for month in (10, 11, 12):
        await reset(school, datetime(2026, month, 1, tzinfo=UTC), now=DECEMBER + timedelta(days=2))
    assert [(row[2], row[3], row[5] is None) for row in await school.rows(PERIODS)] == [
        ("2026-09-01", 100, False), ("2026-10-01", 0, False), ("2026-11-01", 0, False), ("2026-12-01", 0, True),
    ]  # fmt: skip


async def test_by_hand_within_the_month_it_is_still_that_months(school: School) -> None:
    assert (await reset(school, datetime(2026, 12, 17, 9, tzinfo=UTC)))["period"] == "2026-12-01"


async def test_who_is_gone_gets_no_new_period_and_keeps_the_old_ones(school: School) -> None:
    await school.value(USE, 1, 100, datetime(2026, 11, 5, tzinfo=UTC))
    await school.connection.execute("UPDATE tutoring.profile SET status = 'DELETED' WHERE id = 1")
    await school.insert("provider_limit", provider_id=1, dim="month", per="month", limit_n=5)
    await school.connection.execute("UPDATE tutoring.ai_provider SET enabled = false WHERE id = 1")
    assert await reset(school) == {"period": "2026-12-01", "closed": 1, "opened": 0}


async def test_a_retry_goes_on_behind_the_last_page(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resetting, "PAGE", 2)
    for id_ in range(3, 8):
        await school.student(id_)
    for id_ in range(1, 8):
        await school.value(USE, id_, id_, datetime(2026, 11, 5, tzinfo=UTC))
    await school.connection.execute("ALTER TABLE tutoring.quota_period ADD CONSTRAINT mine CHECK "
                                    "(subject_id <> 5 OR period_start < '2026-12-01')")  # fmt: skip
    first = await school.perform(monthly_quota_reset, DECEMBER)
    assert first.ending == "failed"
    assert await school.value("SELECT count(*) FROM tutoring.quota_period WHERE closed_at IS NOT NULL") == 4
    await school.connection.execute("ALTER TABLE tutoring.quota_period DROP CONSTRAINT mine")
    assert await reset(school, resume=first.id) == {"period": "2026-12-01", "closed": 7, "opened": 7}
    closed = await school.rows("SELECT sum(used) FROM tutoring.quota_period WHERE period_start = $1", date(2026, 11, 1))
    assert closed == [(28,)]


@pytest.mark.parametrize("of", [DECEMBER + timedelta(minutes=1), DECEMBER - timedelta(minutes=1)])
async def test_an_application_that_counts_meanwhile_is_waited_for_and_never_given_up(
    school: School, of: datetime
) -> None:
    """Its transaction has counted for the provider, and counts for the student while the reset waits for it."""
    await school.value(USE, 1, 100, datetime(2026, 11, 5, tzinfo=UTC))
    await school.insert("provider_limit", provider_id=1, dim="month", per="month", limit_n=1000)
    await school.value("SELECT tutoring.use_quota('provider', 1, 1, $1)", datetime(2026, 11, 5, tzinfo=UTC))
    other = await asyncpg.connect(school.url)
    try:
        async with other.transaction():
            await other.execute("SELECT tutoring.use_quota('provider', 1, 10, $1)", of)
            resetting = asyncio.create_task(reset(school))
            await row(school.connection, "SELECT EXISTS (SELECT FROM pg_stat_activity "
                      "WHERE wait_event_type = 'Lock' AND datname = current_database())")  # fmt: skip
            await other.execute("SELECT tutoring.use_quota('student', 1, 10, $1)", of)
    finally:
        await other.close()
    assert (await resetting)["closed"] == 2
    used = {(kind, month): used for kind, _, month, used, *_ in await school.rows(PERIODS)}
    late = of < DECEMBER
    assert used == {
        ("provider", "2026-11-01"): 11 if late else 1, ("provider", "2026-12-01"): 0 if late else 10,
        ("student", "2026-11-01"): 110 if late else 100, ("student", "2026-12-01"): 0 if late else 10,
    }  # fmt: skip
