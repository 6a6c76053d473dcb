"""What cleanup and archive would do, asked at the command line: the same that they then do, and nothing before."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from tests.daemon.cli.console import Console, environment
from tests.workers.tutoring.school import School
from workers.tutoring.archive_conversations import archive_conversations
from workers.tutoring.daily_memory_cleanup import daily_memory_cleanup

MIDNIGHT = datetime(2026, 11, 15, tzinfo=UTC)
OLD = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture
async def school(url: str, connection: asyncpg.Connection) -> School:
    school = School(url, connection)
    await school.student(1)
    for at in (OLD, OLD, MIDNIGHT):
        await school.memory(1, at)
        await school.conversation(1, (at, "hello"))
    return school


async def test_a_dry_run_says_what_the_run_then_does(
    school: School, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    suites = {"SEXTON_SUITES": "workers.tutoring"}
    sexton = Console({**environment(school.url, tmp_path / "state"), **suites}, capsys, monkeypatch)
    due = ("--dry-run", "--due-at", "2026-11-15T00:00")
    cleaning = (await sexton.beside("run-job", "daily-memory-cleanup", *due)).ok().json
    moving = (await sexton.beside("run-job", "archive-conversations", *due)).ok().json
    assert (await school.count("study_chat_memory"), await school.count("chat_conversation")) == (3, 3)
    cleaned = await school.succeed(daily_memory_cleanup, MIDNIGHT)
    moved = await school.succeed(archive_conversations, MIDNIGHT)
    assert (cleaning["cutoff"], cleaning["would_remove"], cleaning["logical_bytes"]) == (
        cleaned["cutoff"], cleaned["removed"], cleaned["logical_bytes_freed"],
    )  # fmt: skip
    assert (moving["older_than"], moving["would_move"]) == (moved["older_than"], moved["conversations"])
    assert (cleaned["removed"], moved["conversations"]) == (2, 2)
