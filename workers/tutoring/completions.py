"""Asking an AI provider for a sentence: what is sent to which address, and what its answer says. Pure.

Shapes after the providers' references: OpenAI, Mistral and Groq `POST /chat/completions`; Anthropic `POST /messages`;
Gemini `POST /models/{model}:generateContent`; Cohere `POST /chat` (v1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

MOST_TOKENS = 120
MOST_TOKENS_WITH_THOUGHTS = 2000
"""Where a model's hidden reasoning counts as well: with less it may end before it has said a word."""
LONGEST = 400
"""Letters of a sentence; longer ones end with the last whole one before."""


class NoSentenceError(ValueError):
    """An answer that has no sentence in it, whatever else it has."""


@dataclass(frozen=True, slots=True)
class Request:
    """`headers` hold the key."""

    url: str
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sentence:
    """Tokens as the answer counts them; None where it does not."""

    text: str
    input_tokens: int | None
    output_tokens: int | None


def request(kind: str, base_url: str, key: str, model: str, prompt: str) -> Request:
    """One short answer to `prompt`. `kind` as in `tutoring.ai_provider`; raises `KeyError` for another."""
    said = [{"role": "user", "content": prompt}]
    limited = {"model": model, "max_tokens": MOST_TOKENS}
    with_thoughts = {
        "model": model,
        "max_completion_tokens": MOST_TOKENS_WITH_THOUGHTS,
    }  # newer models refuse the other
    bearer = {"authorization": f"Bearer {key}"}
    chat = f"{base_url}/chat/completions"
    return {
        "openai": Request(chat, {**with_thoughts, "messages": said}, bearer),
        "mistral": Request(chat, {**limited, "messages": said}, bearer),
        "groq": Request(chat, {**with_thoughts, "messages": said}, bearer),
        "anthropic": Request(
            f"{base_url}/messages", {**limited, "messages": said},
            {"x-api-key": key, "anthropic-version": "2023-06-01"},
        ),
        "gemini": Request(
            f"{base_url}/models/{quote(model, safe='')}:generateContent",
            {
                "contents": [{"parts": [{"text": prompt}]}],
                "generationConfig": {"maxOutputTokens": MOST_TOKENS_WITH_THOUGHTS},
            },
            {"x-goog-api-key": key},
        ),
        "cohere": Request(f"{base_url}/chat", {**limited, "message": prompt}, bearer),
    }[kind]  # fmt: skip


TEXT_AT: Mapping[str, tuple[str | int, ...]] = {
    "openai": ("choices", 0, "message", "content"),
    "mistral": ("choices", 0, "message", "content"),
    "groq": ("choices", 0, "message", "content"),
    "anthropic": ("content", 0, "text"),
    "gemini": ("candidates", 0, "content", "parts", 0, "text"),
    "cohere": ("text",),
}
TOKENS_AT: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "openai": (("usage", "prompt_tokens"), ("usage", "completion_tokens")),
    "mistral": (("usage", "prompt_tokens"), ("usage", "completion_tokens")),
    "groq": (("usage", "prompt_tokens"), ("usage", "completion_tokens")),
    "anthropic": (("usage", "input_tokens"), ("usage", "output_tokens")),
    "gemini": (("usageMetadata", "promptTokenCount"), ("usageMetadata", "candidatesTokenCount")),
    "cohere": (("meta", "tokens", "input_tokens"), ("meta", "tokens", "output_tokens")),
}


def sentence(kind: str, body: object) -> Sentence:
    """What an answer says, in one paragraph of plain text. Raises `NoSentenceError`."""
    text = found(body, TEXT_AT[kind])
    if not isinstance(text, str) or not (plain := trimmed(text)):
        raise NoSentenceError("the answer has no text where one is expected")
    given, taken = (found(body, place) for place in TOKENS_AT[kind])
    return Sentence(plain, counted(given), counted(taken))


def found(body: object, place: tuple[str | int, ...]) -> object:
    """What is there, or None if the answer has another shape."""
    for step in place:
        if isinstance(step, int):
            if not isinstance(body, list) or len(body) <= step:
                return None
            body = body[step]
        elif not isinstance(body, dict):
            return None
        else:
            body = body.get(step)
    return body


def counted(tokens: object) -> int | None:
    if isinstance(tokens, bool) or not isinstance(tokens, int | float) or not 0 <= tokens < 10**9:
        return None
    return int(tokens)


def trimmed(text: str) -> str:
    """One paragraph without control characters, of whole sentences as far as they fit."""
    words = " ".join("".join(c if c.isprintable() else " " for c in text).split()).strip('"“” ')
    if len(words) <= LONGEST:
        return words
    end = max(words.rfind(mark, 0, LONGEST) for mark in ".!?")
    return words[: end + 1] if end > 0 else words[: LONGEST - 1].rstrip() + "…"
