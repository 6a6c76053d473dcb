"""What is read from answers: each provider's real shapes, and whatever else may come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.tutoring.provider_headers import DIALECTS, Answer, Level, levels

NOON = datetime(2026, 11, 20, 12, 0, 30, tzinfo=UTC)
OPENAI = {
    "x-ratelimit-limit-requests": "500", "x-ratelimit-remaining-requests": "499", "x-ratelimit-reset-requests": "120ms",
    "x-ratelimit-limit-tokens": "30000", "x-ratelimit-remaining-tokens": "29000", "x-ratelimit-reset-tokens": "6m0s",
}  # fmt: skip
ANTHROPIC = {
    "anthropic-ratelimit-requests-limit": "50", "anthropic-ratelimit-requests-remaining": "49",
    "anthropic-ratelimit-requests-reset": "2026-11-20T12:00:31Z",
    "anthropic-ratelimit-tokens-limit": "48000", "anthropic-ratelimit-tokens-remaining": "47000",
    "anthropic-ratelimit-tokens-reset": "2026-11-20T12:01:00Z",
    "anthropic-ratelimit-input-tokens-limit": "40000", "anthropic-ratelimit-input-tokens-remaining": "39000",
    "anthropic-ratelimit-input-tokens-reset": "2026-11-20T12:01:00Z",
    "anthropic-ratelimit-output-tokens-limit": "8000", "anthropic-ratelimit-output-tokens-remaining": "400",
    "anthropic-ratelimit-output-tokens-reset": "2026-11-20T12:01:00Z",
}  # fmt: skip
MISTRAL = {
    "x-ratelimit-limit-req-minute": "60", "x-ratelimit-remaining-req-minute": "59",
    "x-ratelimit-limit-tokens-minute": "500000", "x-ratelimit-remaining-tokens-minute": "499000",
    "x-ratelimit-limit-tokens-month": "1000000000", "x-ratelimit-remaining-tokens-month": "7",
    "x-ratelimit-tokens-query-cost": "1000",
}  # fmt: skip
GROQ = {
    "x-ratelimit-limit-requests": "14400", "x-ratelimit-remaining-requests": "14370",
    "x-ratelimit-reset-requests": "2m59.56s", "x-ratelimit-limit-tokens": "18000",
    "x-ratelimit-remaining-tokens": "17997", "x-ratelimit-reset-tokens": "7.66s",
}  # fmt: skip
COHERE = {"x-trial-endpoint-call-limit": "20", "x-trial-endpoint-call-remaining": "5",
          "x-endpoint-monthly-call-limit": "1000"}  # fmt: skip


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


MONTH_END = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "headers", "said"),
    [
        ("openai", OPENAI, [("requests", 500, 499, after(0.12)), ("tokens", 30000, 29000, after(360))]),
        ("anthropic", ANTHROPIC, [("requests", 50, 49, after(1)), ("tokens", 48000, 47000, after(30)),
                                  ("input_tokens", 40000, 39000, after(30)), ("output_tokens", 8000, 400, after(30))]),
        ("mistral", MISTRAL, [("requests", 60, 59, after(30)), ("tokens", 500000, 499000, after(30)),
                              ("month", 10**9, 7, MONTH_END)]),
        ("groq", GROQ, [("requests", 14400, 14370, after(179.56)), ("tokens", 18000, 17997, after(7.66))]),
        ("cohere", COHERE, [("requests", 20, 5, after(30))]),
        ("gemini", {"server-timing": "gfet4t7; dur=410"}, []),
    ],
)  # fmt: skip
def test_each_provider_is_read_in_its_own_words(kind: str, headers: dict[str, str], said: list[Any]) -> None:
    assert levels(kind, Answer(NOON, 200, headers)) == [Level(*level) for level in said]


@pytest.mark.parametrize("kind", [*DIALECTS, "gemini", "unheard-of"])
def test_an_answer_without_headers_says_nothing_rather_than_that_nothing_is_used(kind: str) -> None:
    assert levels(kind, Answer(NOON, 200)) == []


def one(kind: str, limit: str, remaining: str, reset: str | None = "10s") -> list[tuple[int, int]]:
    headers = {"x-ratelimit-limit-requests": limit, "x-ratelimit-remaining-requests": remaining}
    if reset is not None:
        headers["x-ratelimit-reset-requests"] = reset
    return [(level.limit, level.remaining) for level in levels(kind, Answer(NOON, 200, headers))]


@pytest.mark.parametrize(
    ("kind", "limit", "remaining", "said"),
    [
        ("openai", "0", "0", []), ("openai", "-1", "-1", []), ("openai", "100", "-1", []),  # Azure's "not known"
        ("openai", "100", "-2", [(100, 0)]), ("groq", "100", "-1", [(100, 0)]), ("groq", "0", "0", [(0, 0)]),
        ("groq", "-5", "1", []), ("groq", "100", "250", [(100, 100)]), ("groq", "lots", "1", []),
        ("groq", "100", "<b>7</b>", []), ("groq", "100", "", []), ("groq", "9" * 40, "1", []),
    ],
)  # fmt: skip
def test_limits_that_are_garbage_zero_or_negative(kind: str, limit: str, remaining: str, said: list[Any]) -> None:
    assert one(kind, limit, remaining) == said


def test_a_limit_that_is_whole_again_already_says_nothing() -> None:
    assert one("groq", "100", "0", "2026-11-20T11:59:00Z") == []


def test_a_limit_whose_reset_cannot_be_read_ends_when_such_limits_end() -> None:
    headers = {"x-ratelimit-limit-requests": "9", "x-ratelimit-remaining-requests": "1",
               "x-ratelimit-reset-requests": "next tuesday"}  # fmt: skip
    assert levels("openai", Answer(NOON, 200, headers))[0].reset_at == after(30)
    assert levels("groq", Answer(NOON, 200, headers))[0].reset_at == datetime(2026, 11, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "until"),
    [({"retry-after": "17"}, after(17)), ({"retry-after": "Fri, 20 Nov 2026 12:02:30 GMT"}, after(120)),
     ({}, after(60)), ({"retry-after": "-5"}, after(60)), ({"retry-after": "a while"}, after(60))],
)  # fmt: skip
def test_a_refusal_leaves_no_request_until_its_wait_is_over(headers: dict[str, str], until: datetime) -> None:
    assert levels("cohere", Answer(NOON, 429, headers)) == [Level("requests", 0, 0, until)]


def test_a_refusal_is_believed_before_what_it_says_is_left() -> None:
    said = {level.dim: level for level in levels("openai", Answer(NOON, 429, {**OPENAI, "retry-after": "20"}))}
    assert said["requests"] == Level("requests", 500, 0, after(20))
    assert said["tokens"].remaining == 29000


def gemini(quota: str, delay: str = "46s") -> dict[str, Any]:
    return {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "details": [
        {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": quota}]},
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay},
    ]}}  # fmt: skip


def test_gemini_says_in_the_body_when_to_come_back() -> None:
    minute = gemini("GenerateRequestsPerMinutePerProjectPerModel-FreeTier")
    assert levels("gemini", Answer(NOON, 429, {}, minute)) == [Level("requests", 0, 0, after(46))]
    day = gemini("GenerateRequestsPerDayPerProjectPerModel-FreeTier")
    assert levels("gemini", Answer(NOON, 429, {}, day)) == [
        Level("requests", 0, 0, datetime(2026, 11, 21, 8, tzinfo=UTC))  # midnight in California
    ]


JSON = st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=10),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                        st.sampled_from(["error", "details", "@type", "violations", "quotaId", "retryDelay"]), inner,
                        max_size=3), max_leaves=12)  # fmt: skip
NAMES = st.sampled_from(sorted({*OPENAI, *ANTHROPIC, *MISTRAL, *COHERE, "retry-after", "date"}))
SAID = st.text(max_size=30) | st.sampled_from(["0", "-1", "100", "1s", "2026-11-20T12:00:45Z", "1e3", "Infinity"])


@given(st.sampled_from([*DIALECTS, "gemini", ""]), st.dictionaries(NAMES, SAID, max_size=12), JSON,
       st.sampled_from([None, 200, 401, 429, 529]))  # fmt: skip
def test_nothing_a_provider_says_is_an_error(
    kind: str, headers: dict[str, str], body: object, status: int | None
) -> None:
    for level in levels(kind, Answer(NOON, status, headers, body)):
        assert 0 <= level.remaining <= level.limit
        assert level.reset_at > NOON
