"""Old conversations move with every message; nothing is lost, and whoever reads finds them where they were."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from tests.workers.tutoring.school import MINUTE, School
from workers.tutoring.archive_conversations import archive_conversations

NIGHT = datetime(2026, 11, 15, 2, tzinfo=UTC)
OLD = NIGHT - timedelta(days=180)
INSTANT = timedelta(microseconds=1)
EVERYTHING = """
    SELECT c.id, c.student_id, c.subject_id, c.created_at, c.last_message_at, m.id, m.role, m.content, m.created_at
    FROM tutoring.every_chat_conversation c LEFT JOIN tutoring.every_chat_message m ON m.conversation_id = c.id
    ORDER BY 1, 6
"""


@pytest.fixture
async def school(url: str, connection: asyncpg.Connection) -> School:
    school = School(url, connection)
    await school.student(1)
    await school.subject(1, "Algebra <script>alert(1)</script> 🧮")
    return school


async def archive(school: School, at: datetime = NIGHT, **options: Any) -> dict[str, Any]:
    result: dict[str, Any] = await school.succeed(archive_conversations, at, **options)
    return result


async def test_an_empty_platform_has_nothing_to_archive(school: School) -> None:
    assert await archive(school) == {
        "older_than": OLD.isoformat(), "conversations": 0, "messages": 0, "left_behind": 0,
    }  # fmt: skip


async def test_only_what_is_strictly_older_moves_and_reads_see_no_difference(school: School) -> None:
    moved = await school.conversation(1, (OLD - MINUTE, "why?"), (OLD - INSTANT, "thanks 🙏"), subject=1)
    kept = await school.conversation(1, (OLD - MINUTE, "a"), (OLD, "b"), subject=1)
    before = await school.rows(EVERYTHING)
    result = await archive(school)
    assert (result["conversations"], result["messages"], result["left_behind"]) == (1, 2, 0)
    assert await school.rows("SELECT id FROM tutoring.chat_conversation") == [(kept,)]
    assert await school.rows("SELECT id FROM tutoring.chat_conversation_archive") == [(moved,)]
    assert await school.rows(EVERYTHING) == before
    assert (await archive(school, NIGHT + MINUTE))["conversations"] == 1


async def test_a_conversation_without_messages_moves_too(school: School) -> None:
    await school.insert("chat_conversation", student_id=1, created_at=OLD - MINUTE, last_message_at=OLD - MINUTE)
    assert (await archive(school))["conversations"] == 1


async def test_many_move_in_batches_and_a_retry_goes_on_behind_the_last(school: School) -> None:
    for n in range(25):
        await school.conversation(1, (OLD - MINUTE, f"{n}"), (OLD - MINUTE, f"{n} again"))
    before = await school.rows(EVERYTHING)
    await school.connection.execute(
        "ALTER TABLE tutoring.chat_message_archive ADD CONSTRAINT mine CHECK (content <> '17')"
    )
    first = await school.perform(archive_conversations, NIGHT, settings={"cleanup": {"conversations": 10}})
    assert first.ending == "failed"
    assert await school.count("chat_conversation_archive") == 10
    assert await school.rows(EVERYTHING) == before
    await school.connection.execute("ALTER TABLE tutoring.chat_message_archive DROP CONSTRAINT mine")
    result = await archive(school, resume=first.id)
    assert (result["conversations"], result["messages"]) == (25, 50)
    assert await school.rows(EVERYTHING) == before


async def test_nothing_is_lost_when_the_archive_has_the_id_already(school: School) -> None:
    id_ = await school.conversation(1, (OLD - MINUTE, "mine"))
    await school.insert(
        "chat_conversation_archive", id=id_, student_id=1, created_at=OLD - MINUTE, last_message_at=OLD - MINUTE,
        archived_at=OLD,
    )  # fmt: skip
    assert (await archive(school))["left_behind"] == 1
    assert (await school.count("chat_conversation"), await school.count("chat_message")) == (1, 1)


async def test_what_somebody_writes_into_at_that_moment_stays(school: School) -> None:
    id_ = await school.conversation(1, (OLD - MINUTE, "hello"))
    async with school.connection.transaction():
        await school.connection.execute("SELECT FROM tutoring.chat_conversation WHERE id = $1 FOR UPDATE", id_)
        assert (await archive(school))["left_behind"] == 1
    assert await school.count("chat_conversation") == 1


async def test_who_writes_into_an_archived_conversation_takes_it_out_again(school: School) -> None:
    id_ = await school.conversation(1, (OLD - MINUTE, "one"), (OLD - MINUTE, "two"), subject=1)
    before = await school.rows(EVERYTHING)
    await archive(school)
    assert await school.value("SELECT tutoring.reopen_conversation($1)", id_) is True
    assert await school.rows(EVERYTHING) == before
    assert (await school.count("chat_message"), await school.count("chat_message_archive")) == (2, 0)
    assert await school.value("SELECT tutoring.reopen_conversation($1)", id_) is False
    await school.insert("chat_message", conversation_id=id_, role="student", content="three", created_at=NIGHT)


async def test_conversations_of_a_student_who_is_deleted_meanwhile_move_like_others(school: School) -> None:
    """And where somebody takes the rows themselves away, there is nothing left to move."""
    await school.student(2, status="DELETED")
    await school.conversation(2, (OLD - MINUTE, "mine"))
    gone = await school.conversation(1, (OLD - MINUTE, "hers"))
    held = await asyncpg.connect(school.url)
    try:
        async with held.transaction():
            await held.execute("DELETE FROM tutoring.chat_message WHERE conversation_id = $1", gone)
            await held.execute("DELETE FROM tutoring.chat_conversation WHERE id = $1", gone)
            result = await archive(school)
    finally:
        await held.close()
    assert (result["conversations"], result["messages"]) == (1, 1)
    assert await school.rows("SELECT content FROM tutoring.every_chat_message") == [("mine",)]


async def test_what_is_written_while_the_archive_waits_for_it_is_not_lost(school: School) -> None:
    """The message is committed after the archive began and before it holds the conversation."""
    id_ = await school.conversation(1, (OLD - MINUTE, "first"))
    other = await asyncpg.connect(school.url)
    try:
        async with other.transaction():
            await other.execute(
                "INSERT INTO tutoring.chat_message (conversation_id, role, content) VALUES ($1, 'student', 'late')", id_
            )
            assert (await archive(school))["left_behind"] == 1
    finally:
        await other.close()
    assert (await archive(school, NIGHT + MINUTE))["messages"] == 2
