"""Profiles of those who were active since; nothing is written where nothing has changed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from tests.workers.tutoring.school import MINUTE, School
from workers.tutoring.profile_refresh import profile_refresh

NIGHT = datetime(2026, 11, 22, 4, tzinfo=UTC)
DAY = timedelta(days=1)
PROFILES = "SELECT student_id, payload, hash, refreshed_at, looked_at FROM tutoring.student_ai_profile ORDER BY 1"


@pytest.fixture
async def school(url: str, connection: asyncpg.Connection) -> School:
    school = School(url, connection)
    await school.student(1, name="Zoë <script>alert(1)</script> 🦊", tz="Asia/Kolkata")
    await school.student(2)
    await school.subject(1, "Algebra")
    await school.subject(2, "🧬 & <Biology>")
    await school.insert("topic", id=1, subject_id=1, name="Fractions")
    await school.insert("topic", id=2, subject_id=1, name="Roots")
    return school


async def refresh(school: School, at: datetime = NIGHT, **options: Any) -> dict[str, Any]:
    result: dict[str, Any] = await school.succeed(profile_refresh, at, **options)
    return result


async def test_an_empty_platform_has_no_profiles(school: School) -> None:
    assert await refresh(school) == {"refreshed": 0, "unchanged": 0}


async def test_the_profile_is_what_was_worked_out_by_hand(school: School) -> None:
    evening = datetime(2026, 11, 20, 20, tzinfo=UTC)  # the next day, at half past one, in India
    id_ = await school.conversation(1, (evening, "four"), (evening + MINUTE, "eleven chrs"), subject=1)
    await school.conversation(1, (evening - 10 * DAY, "a"), subject=2)
    await school.conversation(1, (NIGHT - 90 * DAY - MINUTE, "too long ago"), subject=2)
    for n in range(10):
        await school.insert("chat_message", conversation_id=id_, role="student", content="", topic_id=1 + n % 2,
                            correct=n % 2 == 0 or n == 1, created_at=evening + 2 * MINUTE)  # fmt: skip
    await school.insert("chat_message", conversation_id=id_, role="tutor", content="well done!", created_at=evening)
    assert await refresh(school) == {"refreshed": 1, "unchanged": 0}
    ((student, payload, _, refreshed, looked),) = await school.rows(PROFILES)
    assert (student, refreshed, looked) == (1, NIGHT, NIGHT)
    assert json.loads(payload) == {
        "messages": 13, "active_days": 2, "last_active": "2026-11-21", "usual_hour": 1, "usual_length": 1,
        "subjects": [{"subject": "Algebra", "messages": 12}, {"subject": "🧬 & <Biology>", "messages": 1}],
        "answered": 10, "accuracy_pct": 60, "weak_topics": ["Roots"], "strong_topics": ["Fractions"],
    }  # fmt: skip


async def test_only_who_was_active_since_is_looked_at(school: School) -> None:
    for id_ in (1, 2):
        await school.conversation(id_, (NIGHT - DAY, "a"))
    assert await refresh(school) == {"refreshed": 2, "unchanged": 0}
    assert await refresh(school, NIGHT + DAY) == {"refreshed": 0, "unchanged": 0}
    await school.conversation(2, (NIGHT, "at the instant of the last look"))
    assert await refresh(school, NIGHT + 2 * DAY) == {"refreshed": 1, "unchanged": 0}


async def test_a_profile_that_comes_out_the_same_is_not_written_again(school: School) -> None:
    await school.conversation(1, (NIGHT - DAY, "a"))
    await refresh(school)
    before = await school.rows(PROFILES)
    await school.conversation(1, (NIGHT + MINUTE, "b"), role="tutor")  # nothing that the student did
    assert await refresh(school, NIGHT + DAY) == {"refreshed": 0, "unchanged": 1}
    ((*same, looked),) = await school.rows(PROFILES)
    assert (tuple(same), looked) == (before[0][:-1], NIGHT + DAY)


async def test_who_is_deleted_is_left_out(school: School) -> None:
    for id_ in (1, 2):
        await school.conversation(id_, (NIGHT - DAY, "a"))
    await school.connection.execute("UPDATE tutoring.profile SET status = 'DELETED' WHERE id = 1")
    assert await refresh(school) == {"refreshed": 1, "unchanged": 0}


async def test_pages_are_resumed_behind_the_last_one(school: School) -> None:
    for id_ in range(3, 9):
        await school.student(id_)
    for id_ in range(1, 9):
        await school.conversation(id_, (NIGHT - DAY, "a"))
    await school.connection.execute(
        "ALTER TABLE tutoring.student_ai_profile ADD CONSTRAINT mine CHECK (student_id <> 6)"
    )
    first = await school.perform(profile_refresh, NIGHT, settings={"profiles": {"page": 3}})
    assert (first.ending, await school.count("student_ai_profile")) == ("failed", 3)
    await school.connection.execute("ALTER TABLE tutoring.student_ai_profile DROP CONSTRAINT mine")
    assert await refresh(school, resume=first.id) == {"refreshed": 8, "unchanged": 0}
