"""kill -9 in the middle of what removes and what moves: nothing is lost, and nothing is done twice."""

from __future__ import annotations

from collections.abc import Callable
from random import Random, SystemRandom
from typing import Any

import pytest

from tests.system.tutoring.stage import BATCH, SchoolStage
from tests.system.wire import Moment

BATCH_FENCE = "UPDATE sexton.run SET cursor"
BEFORE_COMMIT = Moment("COMMIT", "sent", after=BATCH_FENCE)
AFTER_COMMIT = Moment("COMMIT", "answered", after=BATCH_FENCE)

CLEANUP, ARCHIVE = "tutoring.daily_memory_cleanup", "tutoring.archive_conversations"
REMOVING = Moment("DELETE FROM study_chat_memory", "answered")
MOVING = Moment("DELETE FROM chat_message", "answered")

MEMORIES = "SELECT id FROM tutoring.study_chat_memory"
OLD = f"{MEMORIES} WHERE created_at < $1::timestamptz - interval '8 months' OR expires_at <= $1"
LOAD_OLD = """
    INSERT INTO tutoring.study_chat_memory (student_id, content, created_at)
    SELECT id, 'again', sexton.clock() - interval '2 years' FROM tutoring.profile
"""
CONVERSATIONS = """
    SELECT count(*), sum(hashtextextended((id, student_id, subject_id, created_at, last_message_at)::text, 0))
    FROM tutoring.every_chat_conversation
"""
MESSAGES = """
    SELECT count(*), sum(hashtextextended((id, conversation_id, role, content, topic_id, correct, created_at)::text, 0))
    FROM tutoring.every_chat_message
"""
TO_MOVE = """
    SELECT count(*) FROM tutoring.chat_conversation
    WHERE last_message_at < (SELECT due_at FROM sexton.run WHERE id = $1) - interval '180 days'
"""
ARCHIVED = "SELECT count(*) FROM tutoring.chat_conversation_archive"
APART = """
    SELECT NOT EXISTS (
        SELECT FROM tutoring.chat_message m JOIN tutoring.chat_conversation_archive a ON a.id = m.conversation_id)
"""


def drawn(lives: int, *moments: Moment) -> list[Moment]:
    """Every moment once, in an order of chance, and then some again."""
    dice = Random(SystemRandom().randrange(1 << 32))
    dice.shuffle(order := list(moments))
    return order + [dice.choice(moments) for _ in range(lives - len(moments))]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("lives", [3, pytest.param(5, marks=pytest.mark.soak)])
async def test_what_is_killed_at_each_moment_removes_and_moves_everything_once(
    school: SchoolStage, lives: int, counted: Callable[..., Any]
) -> None:
    removed = await memories_are_removed(school, lives)
    moved = await conversations_are_moved(school, lives)
    counted(kills=2 * lives, memories_removed=removed, conversations_moved=moved)


async def memories_are_removed(school: SchoolStage, lives: int) -> int:
    """What is old goes, whatever happens meanwhile, and nothing else; the report says what all lives removed."""
    async with school.place.connection() as connection:
        await connection.execute(LOAD_OLD)
        (run,) = await school.request(CLEANUP, {})
        due = await connection.fetchval("SELECT due_at FROM sexton.run WHERE id = $1", run)
        old = {row["id"] for row in await connection.fetch(OLD, due)}
        rest = {row["id"] for row in await connection.fetch(MEMORIES)} - old
    assert len(old) > (lives + 1) * BATCH
    for moment in drawn(lives, REMOVING, BEFORE_COMMIT, AFTER_COMMIT):
        await school.killed_at(moment, run)
    result = await school.finished(run)
    async with school.place.connection() as connection:
        assert {row["id"] for row in await connection.fetch(MEMORIES)} == rest
    assert (result["found"], result["removed"], result["left_behind"]) == (len(old), len(old), 0)
    assert result["logical_bytes_found"] == result["logical_bytes_freed"]
    assert result["rescues"] == lives
    return len(old)


async def conversations_are_moved(school: SchoolStage, lives: int) -> int:
    """At every moment each message is there once, beside its conversation: here or in the archive."""
    async with school.place.connection() as connection:
        before = [tuple(*await connection.fetch(query)) for query in (CONVERSATIONS, MESSAGES)]
        (run,) = await school.request(ARCHIVE, {})
        to_move: int = await connection.fetchval(TO_MOVE, run)
    assert to_move > lives * BATCH
    for moment in drawn(lives, MOVING, BEFORE_COMMIT, AFTER_COMMIT):
        await school.killed_at(moment, run)
        async with school.place.connection() as connection:
            assert [tuple(*await connection.fetch(query)) for query in (CONVERSATIONS, MESSAGES)] == before
    result = await school.finished(run)
    async with school.place.connection() as connection:
        assert [tuple(*await connection.fetch(query)) for query in (CONVERSATIONS, MESSAGES)] == before
        assert await connection.fetchval(ARCHIVED) == result["conversations"] == to_move
        assert await connection.fetchval(APART)
    assert result["messages"] == 6 * to_move
    assert (result["left_behind"], result["rescues"]) == (0, lives)
    return to_move
