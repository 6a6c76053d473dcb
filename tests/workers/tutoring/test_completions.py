"""Requests in each provider's own form, and answers as good and as bad as they come."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.tutoring.completions import LONGEST, TEXT_AT, NoSentenceError, Sentence, request, sentence, trimmed

ANSWERS: dict[str, Any] = {
    "openai": {
        "choices": [{"message": {"content": "Well done."}}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 3},
    },
    "anthropic": {
        "content": [{"type": "text", "text": "Well done."}],
        "usage": {"input_tokens": 9, "output_tokens": 3},
    },
    "gemini": {
        "candidates": [{"content": {"parts": [{"text": "Well done."}]}}],
        "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 3},
    },
    "cohere": {"text": "Well done.", "meta": {"tokens": {"input_tokens": 9.0, "output_tokens": 3.0}}},
}
ANSWERS |= dict.fromkeys(("mistral", "groq"), ANSWERS["openai"])
json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["choices", "message", "content", "text", "candidates", "parts", "usage", "meta", "tokens"]),
        inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("openai", "/chat/completions"), ("mistral", "/chat/completions"), ("groq", "/chat/completions"),
        ("anthropic", "/messages"), ("gemini", "/models/m%2F1:generateContent"), ("cohere", "/chat"),
    ],
)  # fmt: skip
def test_each_is_asked_at_its_own_address_with_the_key_in_a_header_alone(kind: str, path: str) -> None:
    asked = request(kind, "https://ai.example/v1", "secret", "m/1", "Say hello")
    assert asked.url == f"https://ai.example/v1{path}"
    assert "secret" not in f"{asked!r}{asked.url}{asked.body}"
    assert "secret" in "".join(asked.headers.values())
    assert "Say hello" in str(asked.body)


@pytest.mark.parametrize(
    ("kind", "bound"),
    [
        ("openai", "'max_completion_tokens': 2000"), ("groq", "'max_completion_tokens': 2000"),
        ("gemini", "'maxOutputTokens': 2000"), ("mistral", "'max_tokens': 120"), ("anthropic", "'max_tokens': 120"),
        ("cohere", "'max_tokens': 120"),
    ],
)  # fmt: skip
def test_each_answer_is_bounded_as_its_provider_counts(kind: str, bound: str) -> None:
    """Reasoning models of OpenAI refuse max_tokens; theirs, Groq's and Gemini's count what they think besides."""
    body = str(request(kind, "https://ai.example/v1", "secret", "m", "Say hello").body)
    assert bound in body
    assert body.lower().count("tokens") == 1


@pytest.mark.parametrize("kind", TEXT_AT)
def test_each_answer_is_read_where_its_provider_puts_it(kind: str) -> None:
    assert sentence(kind, ANSWERS[kind]) == Sentence("Well done.", 9, 3)


@pytest.mark.parametrize("kind", TEXT_AT)
@given(body=json)
def test_no_answer_is_too_odd_to_be_refused(kind: str, body: object) -> None:
    try:
        found = sentence(kind, body)
    except NoSentenceError:
        return
    assert 0 < len(found.text) <= LONGEST
    assert found.text.isprintable()


@given(st.text(max_size=2000))
def test_a_sentence_is_one_line_that_fits(text: str) -> None:
    found = trimmed(text)
    assert len(found) <= LONGEST
    assert found.isprintable()
    assert found == found.strip()


def test_what_is_too_long_ends_with_a_whole_sentence() -> None:
    assert trimmed("One. Two!\n\n" + "x" * 500) == "One. Two!"
    assert trimmed("x" * 500) == "x" * (LONGEST - 1) + "…"
    assert trimmed('"You did <b>well</b> 🙂"\x00') == "You did <b>well</b> 🙂"
