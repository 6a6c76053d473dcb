"""The sample school on a real database: loaded once, added to, believable to every job of the suite."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from daemon import sql
from tests.workers.tutoring.school import School
from workers.tutoring import seed as seeding
from workers.tutoring.archive_conversations import archive_conversations
from workers.tutoring.cache_cleanup import cache_cleanup
from workers.tutoring.daily_memory_cleanup import daily_memory_cleanup
from workers.tutoring.monthly_quota_reset import monthly_quota_reset
from workers.tutoring.profile_refresh import profile_refresh
from workers.tutoring.seed import seed
from workers.tutoring.usage_analysis import usage_analysis
from workers.tutoring.weekly_summary_generation import weekly_summary_generation

STABLE = (
    "SELECT id, name, email, tz, status FROM tutoring.profile WHERE id <= 500 ORDER BY id",
    "SELECT id, student_id, subject_id FROM tutoring.chat_conversation WHERE student_id <= 500 ORDER BY id",
    "SELECT id, content FROM tutoring.study_chat_memory WHERE student_id <= 500 ORDER BY id",
    "SELECT student_id, provider_id, input_tokens FROM tutoring.api_usage WHERE student_id <= 500 ORDER BY 1, 2, 3",
)


@pytest.fixture
def school(url: str, connection: asyncpg.Connection) -> School:
    return School(url, connection)


async def load(school: School, scale: float) -> Mapping[str, int]:
    return await seed(school.connection, scale=scale, cache=Path("/nowhere"), progress=lambda *_: None)


async def test_again_is_nothing_new_and_a_larger_scale_adds_to_a_smaller_one(school: School) -> None:
    first = await load(school, 1)
    assert (first["students"], first["conversations"], first["memories"]) == (500, 2500, 2000)
    assert 15_000 < first["usage"] < 25_000
    small = [await school.rows(query) for query in STABLE]
    assert dict.fromkeys(first, 0) == await load(school, 1) == await load(school, 0.5)
    assert (await load(school, 1.2))["students"] == 100
    assert [await school.rows(query) for query in STABLE] == small


async def test_an_interrupted_load_goes_on_where_it_stopped(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeding, "BLOCK", 10)
    await school.connection.execute("ALTER TABLE tutoring.profile ADD CONSTRAINT stop CHECK (id <> 15)")
    with pytest.raises(asyncpg.CheckViolationError):
        await load(school, 0.05)
    assert (await school.count("profile"), await school.count("chat_conversation")) == (10, 50)
    await school.connection.execute("ALTER TABLE tutoring.profile DROP CONSTRAINT stop")
    assert (await load(school, 0.05))["students"] == 15


async def test_a_school_with_students_of_its_own_is_left_alone(school: School) -> None:
    await school.student(1)
    with pytest.raises(ValueError, match="students of its own"):
        await load(school, 1)
    assert (await school.count("profile"), await school.count("subject")) == (1, 0)


async def test_what_is_added_by_others_afterwards_gets_ids_of_its_own(school: School) -> None:
    await load(school, 0.02)
    await school.connection.execute("INSERT INTO tutoring.profile (name, email) VALUES ('n', 'new@example.org')")
    assert await school.value("SELECT max(id) FROM tutoring.profile") == 11


@pytest.mark.parametrize("yesterday", [datetime(2026, 11, 22, tzinfo=UTC), datetime(2026, 11, 25, tzinfo=UTC)])
async def test_every_job_finds_something_to_do(
    school: School, yesterday: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether yesterday was a Sunday or a Wednesday."""
    midnight = yesterday + timedelta(days=1)
    noon = f"SELECT timestamptz '{midnight + timedelta(hours=12)}'"
    monkeypatch.setattr(seeding, "NOW", sql.Statement("now", noon, "a day of the test's choosing"))
    await load(school, 1)
    usage = (await school.succeed(usage_analysis, midnight + timedelta(hours=1)))["report"]
    assert {a["metric"] for a in usage["anomalies"] if a["provider"] == "openai"} >= {"errors", "p95_ms"}
    assert all(usage["recorded"][what] > 0 for what in ("duplicates", "without_tokens"))
    assert [day["requests"] for day in usage["trend"]].count(None) == 0
    assert {use["provider"]: use["cost"] for use in usage["providers"]}["cohere"] is None
    memories = await school.succeed(daily_memory_cleanup, midnight)
    assert 0 < memories["removed"] < 2000
    assert (await school.succeed(weekly_summary_generation, midnight))["written"] > 20
    assert (await school.succeed(profile_refresh, midnight + timedelta(days=1)))["refreshed"] > 300
    assert (await school.succeed(archive_conversations, midnight))["conversations"] > 500
    assert (await school.succeed(cache_cleanup, midnight))["removed"] > 0
    quotas = await school.succeed(monthly_quota_reset, datetime(2026, 12, 1, tzinfo=UTC))
    assert quotas["closed"] == quotas["opened"] > 300
