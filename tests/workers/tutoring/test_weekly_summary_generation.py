"""A week of a few students, worked out by hand; what is there already stays, who is gone gets nothing."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.system.waiting import row
from tests.workers.tutoring.school import MINUTE, School
from workers.tutoring.weekly_summary_generation import week_before, weekly_summary_generation

SUNDAY = datetime(2026, 11, 22, tzinfo=UTC)
MONDAY = datetime(2026, 11, 16, 9, tzinfo=UTC)
START = SUNDAY - timedelta(days=7)
INSTANT = timedelta(microseconds=1)
NOTHING = {"week_start": "2026-11-15", "written": 0, "skipped": 0, "ai": 0, "ai_fallback": 0}


@pytest.fixture
async def school(url: str, connection: asyncpg.Connection) -> School:
    school = School(url, connection)
    for id_ in (1, 2, 3):
        await school.student(id_, name=f"<script>alert({id_})</script> 🎓")
    for id_, name in enumerate(("Algebra", "Biology 🧬", "<b>Chemistry</b>"), 1):
        await school.subject(id_, name)
        await school.insert("topic", id=id_, subject_id=id_, name=f"{name}, first part")
    return school


async def write(school: School, at: datetime = SUNDAY, **options: Any) -> dict[str, Any]:
    result: dict[str, Any] = await school.succeed(weekly_summary_generation, at, **options)
    return result


async def texts(school: School) -> dict[int, str]:
    return dict(await school.rows("SELECT student_id, text FROM tutoring.weekly_summary"))  # type: ignore[arg-type]


async def answer(school: School, conversation: int, at: datetime, topic: int, correct: bool | None) -> None:
    await school.insert("chat_message", conversation_id=conversation, role="student", content="42", topic_id=topic,
                        correct=correct, created_at=at)  # fmt: skip


def test_on_sunday_the_week_is_the_seven_days_before() -> None:
    assert week_before(date(2026, 11, 22)) == (date(2026, 11, 15), date(2026, 11, 22))
    assert week_before(date(2026, 11, 28)) == (date(2026, 11, 15), date(2026, 11, 22))


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_weeks_are_seven_days_from_sunday_and_over(day: date) -> None:
    start, end = week_before(day)
    assert (end - start).days == 7
    assert start.isoweekday() == 7
    assert 0 <= (day - end).days < 7


async def test_an_empty_platform_has_no_summaries(school: School) -> None:
    assert await write(school) == NOTHING


async def test_the_week_is_what_was_worked_out_by_hand(school: School) -> None:
    first = await school.conversation(
        1, (MONDAY, "a"), (MONDAY + 10 * MINUTE, "b"), (MONDAY + 40 * MINUTE, "c"), subject=1
    )
    await school.conversation(1, (MONDAY + 42 * MINUTE, "d"), subject=1, role="tutor")
    await school.conversation(1, (MONDAY + timedelta(days=1), "e"), subject=2)
    await answer(school, first, MONDAY + timedelta(days=2), 1, True)
    await answer(school, first, MONDAY + timedelta(days=2, minutes=5), 1, True)
    await answer(school, first, MONDAY + timedelta(days=2, minutes=6), 2, False)
    await answer(school, first, MONDAY + timedelta(days=2, minutes=7), 3, None)  # no answer
    assert await write(school) == NOTHING | {"written": 1}
    ((week, payload, text, by),) = await school.rows(
        "SELECT week_start, payload, text, written_by FROM tutoring.weekly_summary"
    )
    assert (week, by) == (date(2026, 11, 15), None)
    assert json.loads(payload) == {
        "messages": 8, "active_days": 3, "minutes": 19, "subjects": ["Algebra", "Biology 🧬"],
        "topics": ["Algebra, first part", "Biology 🧬, first part", "<b>Chemistry</b>, first part"],
        "answered": 3, "correct": 2, "accuracy_pct": 67,
    }  # fmt: skip
    assert text == (
        "You asked 8 questions on 3 days, 19 minutes in all, about Algebra and Biology 🧬. "
        "2 of your 3 answers were right."
    )


async def test_the_week_begins_and_ends_at_midnight_of_sunday(school: School) -> None:
    await school.conversation(1, (START - INSTANT, "before"))
    await school.conversation(2, (START, "first"), subject=3)
    await school.conversation(3, (SUNDAY - INSTANT, "last"), (SUNDAY, "next week"))
    assert (await write(school))["written"] == 2
    assert await texts(school) == {
        2: "You asked 1 question on 1 day, about <b>Chemistry</b>.", 3: "You asked 1 question on 1 day.",
    }  # fmt: skip


async def test_who_only_heard_from_the_tutor_was_not_active(school: School) -> None:
    await school.conversation(1, (MONDAY, "are you still there?"), role="tutor")
    assert (await write(school))["written"] == 0


async def test_a_summary_that_is_there_stays_as_it_is(school: School) -> None:
    await school.conversation(1, (MONDAY, "a"))
    await write(school)
    await school.connection.execute("UPDATE tutoring.weekly_summary SET text = 'mine'")
    await school.conversation(2, (MONDAY, "late"))
    result = await write(school, SUNDAY + timedelta(hours=3))
    assert (result["written"], result["skipped"]) == (1, 1)
    assert (await texts(school))[1] == "mine"


async def test_who_is_deleted_has_no_summary_and_stops_nobody(school: School) -> None:
    """One was marked before; the rows of one are taken away while the page is written, which waits for it."""
    for id_ in (1, 2, 3):
        await school.conversation(id_, (MONDAY, "a"))
    await school.connection.execute("UPDATE tutoring.profile SET status = 'DELETED' WHERE id = 1")
    other = await asyncpg.connect(school.url)
    try:
        async with other.transaction():
            for table in ("chat_message WHERE conversation_id = 3", "chat_conversation WHERE id = 3"):
                await other.execute(f"DELETE FROM tutoring.{table}")
            await other.execute("DELETE FROM tutoring.profile WHERE id = 3")
            writing = asyncio.create_task(write(school))
            await row(
                school.connection,
                "SELECT EXISTS (SELECT FROM pg_stat_activity "
                "WHERE wait_event_type = 'Lock' AND datname = current_database())",
            )
    finally:
        await other.close()
    assert (await writing)["written"] == 1
    assert list(await texts(school)) == [2]


async def test_pages_are_resumed_behind_the_last_one_that_was_written(school: School) -> None:
    for id_ in range(4, 9):
        await school.student(id_)
    for id_ in range(1, 9):
        await school.conversation(id_, (MONDAY, "a"))
    await school.connection.execute("ALTER TABLE tutoring.weekly_summary ADD CONSTRAINT mine CHECK (student_id <> 6)")
    first = await school.perform(weekly_summary_generation, SUNDAY, settings={"summaries": {"page": 3}})
    assert (first.ending, await school.count("weekly_summary")) == ("failed", 3)
    await school.connection.execute("ALTER TABLE tutoring.weekly_summary DROP CONSTRAINT mine")
    result = await write(school, resume=first.id)
    assert (result["written"], result["skipped"]) == (8, 0)


async def test_after_downtime_every_missed_week_has_its_own(school: School) -> None:
    await school.conversation(1, (MONDAY - timedelta(days=7), "a"), (MONDAY, "b"))
    await write(school, SUNDAY - timedelta(days=7))
    await write(school)
    assert await school.rows("SELECT week_start::text FROM tutoring.weekly_summary ORDER BY 1") == [
        ("2026-11-08",), ("2026-11-15",),
    ]  # fmt: skip
