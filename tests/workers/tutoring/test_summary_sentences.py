"""Sentences by providers that answer, and summaries that stand without one: no provider's fault is the run's."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from tests.workers.tutoring.ai_server import AiServer, ai_server
from tests.workers.tutoring.school import School
from workers.tutoring import summary_sentences
from workers.tutoring.summary_sentences import prompt
from workers.tutoring.weekly_summary_generation import weekly_summary_generation

SUNDAY = datetime(2026, 11, 22, tzinfo=UTC)
MONDAY = datetime(2026, 11, 16, 9, tzinfo=UTC)
PLAIN = "You asked 1 question on 1 day."
GOOD = {
    "choices": [{"message": {"content": "Keep <b>going</b> 🙂!"}}],
    "usage": {"prompt_tokens": 50, "completion_tokens": 7},
}
BAD: dict[str, tuple[object, int]] = {
    "html with 200": (b"<html><script>alert(1)</script></html>", 200),
    "a tower of brackets": (b"[" * 60_000, 200),
    "no text": ({"choices": []}, 200),
    "null": (None, 200),
    "refused": ({"error": "rate limit"}, 429),
    "forbidden": ({"error": "key"}, 401),
    "broken": ({"error": "oops"}, 500),
    "endless": (b"x" * 100_000, 200),
}


@pytest.fixture
async def first() -> AsyncIterator[AiServer]:
    async with ai_server() as server:
        yield server


@pytest.fixture
async def second() -> AsyncIterator[AiServer]:
    async with ai_server() as server:
        yield server


@pytest.fixture
async def school(url: str, connection: asyncpg.Connection, first: AiServer, second: AiServer) -> School:
    """Three students of a week, and a chain of two providers."""
    school = School(url, connection)
    for id_ in (1, 2, 3):
        await school.student(id_, name=f"Secret Name {id_}")
        await school.conversation(id_, (MONDAY, "my secret question"))
    await connection.execute("UPDATE tutoring.ai_provider SET enabled = false WHERE chain_order > 2")
    for order, server in ((1, first), (2, second)):
        await connection.execute(
            "UPDATE tutoring.ai_provider SET base_url = $2, kind = 'openai' WHERE chain_order = $1", order, server.url
        )
    return school


def configured(**summaries: Any) -> dict[str, Any]:
    models = {"openai": "small", "anthropic": "small"}
    return {"keys": {"openai": "key-1", "anthropic": "key-2"}, "summaries": {"models": models, **summaries}}


async def write(school: School, settings: dict[str, Any] | None = None, **options: Any) -> dict[str, int]:
    result = await school.succeed(
        weekly_summary_generation, SUNDAY, settings=configured() if settings is None else settings, **options
    )
    assert (result["written"], result["skipped"]) == (3, 0)
    return {what: result[what] for what in ("ai", "ai_fallback")}


async def texts(school: School) -> set[tuple[Any, ...]]:
    return set(await school.rows("SELECT text, written_by FROM tutoring.weekly_summary"))


async def test_without_a_model_nobody_is_asked(school: School, first: AiServer) -> None:
    assert await write(school, {"keys": {"openai": "key-1"}}) == {"ai": 0, "ai_fallback": 0}
    assert first.asked == []
    assert await texts(school) == {(PLAIN, None)}


async def test_a_model_without_a_key_is_not_asked(school: School, first: AiServer) -> None:
    assert await write(school, {"summaries": {"models": {"openai": "small"}}}) == {"ai": 0, "ai_fallback": 0}
    assert first.asked == []


async def test_the_sentence_follows_the_figures_and_the_call_is_reported(school: School, first: AiServer) -> None:
    first.says(GOOD, x_ratelimit_limit_requests="100", x_ratelimit_remaining_requests="40")
    assert await write(school) == {"ai": 3, "ai_fallback": 0}
    assert await texts(school) == {(f"{PLAIN} Keep <b>going</b> 🙂!", "openai")}
    assert await school.rows(
        "SELECT DISTINCT status, input_tokens, output_tokens, student_id FROM tutoring.api_usage"
    ) == [(200, 50, 7, None)]
    readings = await school.rows("SELECT headers ->> 'x-ratelimit-remaining-requests' FROM tutoring.provider_reading")
    assert readings == [("40",)] * 3


async def test_no_name_and_nothing_a_student_wrote_leaves_the_platform(school: School, first: AiServer) -> None:
    first.says(GOOD)
    await write(school)
    assert len(first.asked) == 3
    assert "secret" not in json.dumps(first.asked).lower()


@pytest.mark.parametrize("bad", BAD)
async def test_who_answers_badly_hands_over_to_the_next_of_the_chain(
    school: School, first: AiServer, second: AiServer, bad: str
) -> None:
    first.says(*BAD[bad])
    second.says(GOOD)
    assert await write(school) == {"ai": 3, "ai_fallback": 0}
    assert {by for _, by in await texts(school)} == {"anthropic"}
    failed = await school.value("SELECT count(*) FROM tutoring.api_usage WHERE error IS NOT NULL")
    assert (failed, len(first.asked), len(second.asked)) == (3, 3, 3)


async def test_an_address_that_is_none_hands_over_to_the_next(school: School, second: AiServer) -> None:
    await school.connection.execute("UPDATE tutoring.ai_provider SET base_url = 'http://[::1/v1' WHERE name = 'openai'")
    second.says(GOOD)
    assert await write(school) == {"ai": 3, "ai_fallback": 0}


async def test_with_a_hanging_and_a_vanishing_provider_every_summary_stands_without(
    school: School, first: AiServer, second: AiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summary_sentences, "ANSWER_WITHIN", 0.2)
    first.answer, second.answer = None, b""
    assert await write(school) == {"ai": 0, "ai_fallback": 3}
    assert await texts(school) == {(PLAIN, None)}
    assert await school.value("SELECT count(*) FROM tutoring.api_usage WHERE status IS NULL") == 6


async def test_when_everybody_is_blocked_nobody_is_asked(school: School, first: AiServer) -> None:
    await school.connection.execute(
        "UPDATE tutoring.provider_status SET state = 'BLOCKED', blocked_until = $1", SUNDAY.replace(day=23)
    )
    assert await write(school) == {"ai": 0, "ai_fallback": 0}
    assert first.asked == []


async def test_no_more_are_asked_for_than_the_setting_says(
    school: School, first: AiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summary_sentences, "AT_ONCE", 1)
    first.says(GOOD)
    assert await write(school, configured(at_most=2)) == {"ai": 2, "ai_fallback": 0}
    assert len(first.asked) == 2


async def test_a_retry_asks_for_nobody_who_has_a_sentence(
    school: School, first: AiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summary_sentences, "AT_ONCE", 1)
    first.says(GOOD)
    await school.connection.execute(
        "ALTER TABLE tutoring.weekly_summary ADD CONSTRAINT mine CHECK (student_id <> 2 OR written_by IS NULL)"
    )
    run = await school.perform(weekly_summary_generation, SUNDAY, settings=configured())
    assert (run.ending, len(first.asked)) == ("failed", 2)
    await school.connection.execute("ALTER TABLE tutoring.weekly_summary DROP CONSTRAINT mine")
    assert await write(school, resume=run.id) == {"ai": 3, "ai_fallback": 0}
    assert len(first.asked) == 4  # the second once more: its answer was lost with the transaction


def test_the_prompt_has_figures_and_subjects_only() -> None:
    said = prompt({"messages": 8, "minutes": 19, "subjects": ["Algebra"], "name": "Zoë", "topics": ["x"]})
    assert 'Figures: {"messages": 8, "minutes": 19}\nSubjects: Algebra' in said
    assert "Zoë" not in said
    assert "nothing in particular" in prompt({})
