"""What the answers of six AI providers say of their limits. Pure: any headers and any body, never an error.

Each provider's own names and formats are those of its documentation; where two disagree, what is measured wins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from workers.tutoring.limit_values import amount, duration, reset

PACIFIC = ZoneInfo("America/Los_Angeles")
"""Gemini's days of quota begin at midnight there."""
TOO_MANY = 429
UNSAID_WAIT = timedelta(minutes=1)
"""How long a refusal holds that does not say."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it came. `headers`: lower-case names. `at`: when, aware. `status` None: not known."""

    at: datetime
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: object = None


@dataclass(frozen=True, slots=True)
class Level:
    """What is left of one limit until `reset_at`. 0 <= remaining <= limit."""

    dim: str
    limit: int
    remaining: int
    reset_at: datetime


Names = Mapping[str, tuple[str, str, str]]


def levels(kind: str, answer: Answer) -> list[Level]:
    """What `answer` says, by the provider's `kind`; an unknown kind says nothing. A limit that is not said, cannot be
    read or was whole again before the answer came has no level: it is unknown, and not unused.

    A refusal (429) is a limit of requests of which nothing is left until the provider's wait is over.
    """
    said = {level.dim: level for level in _said(kind, answer) if level.reset_at > answer.at}
    if answer.status == TOO_MANY:
        limit = said["requests"].limit if "requests" in said else 0
        said["requests"] = Level("requests", limit, 0, _refused_until(kind, answer))
    return list(said.values())


def _said(kind: str, answer: Answer) -> Iterator[Level]:
    names, trusted_zero, ends = DIALECTS.get(kind, ({}, True, {}))
    for dim, (limit_name, remaining_name, reset_name) in names.items():
        limit, remaining = amount(answer.headers.get(limit_name)), amount(answer.headers.get(remaining_name))
        if limit is None or remaining is None or limit < 0 or (not trusted_zero and (limit == 0 or remaining == -1)):
            continue
        until = reset(answer.headers.get(reset_name), answer.headers, answer.at)
        yield Level(dim, limit, max(0, min(limit, remaining)), until or ends.get(dim, next_minute)(answer.at))


def _refused_until(kind: str, answer: Answer) -> datetime:
    """The latest of what headers and body say; a wait that lies in the past is no wait."""
    said = [reset(answer.headers.get("retry-after"), answer.headers, answer.at)]
    if kind == "gemini":
        said += _gemini_waits(answer)
    ahead = [until for until in said if until is not None and until > answer.at]
    return max(ahead) if ahead else answer.at + UNSAID_WAIT


def _gemini_waits(answer: Answer) -> Iterator[datetime]:
    """From the details of RESOURCE_EXHAUSTED: RetryInfo's delay, and midnight for a quota of a day."""
    for detail in _list(_dict(_dict(answer.body).get("error")).get("details")):
        kind, entry = str(_dict(detail).get("@type")), _dict(detail)
        wait = duration(str(entry.get("retryDelay"))) if kind.endswith("RetryInfo") else None
        if wait is not None:
            yield answer.at + wait
        if kind.endswith("QuotaFailure"):
            ids = [str(_dict(violation).get("quotaId")) for violation in _list(entry.get("violations"))]
            if any("PerDay" in quota for quota in ids):
                yield next_midnight(answer.at, PACIFIC)


def _dict(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()


def next_minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0) + timedelta(minutes=1)


def next_midnight(at: datetime, zone: ZoneInfo) -> datetime:
    tomorrow = at.astimezone(zone).date() + timedelta(days=1)
    return datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=zone).astimezone(UTC)


def next_day(at: datetime) -> datetime:
    return next_midnight(at, ZoneInfo("UTC"))


def next_month(at: datetime) -> datetime:
    first = at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=32)).replace(day=1)


def _by(dims: Mapping[str, str], prefix: str) -> Names:
    return {dim: (f"{prefix}limit-{n}", f"{prefix}remaining-{n}", f"{prefix}reset-{n}") for dim, n in dims.items()}


ANTHROPIC = {
    "requests": "requests",
    "tokens": "tokens",
    "input_tokens": "input-tokens",
    "output_tokens": "output-tokens",
}
MISTRAL = {"requests": "req-minute", "tokens": "tokens-minute", "month": "tokens-month"}
PLAIN = _by({"requests": "requests", "tokens": "tokens"}, "x-ratelimit-")
Ends = Mapping[str, Callable[[datetime], datetime]]
DIALECTS: Mapping[str, tuple[Names, bool, Ends]] = {
    # Behind Azure 0 and -1 mean: not known.
    "openai": (PLAIN, False, {}),
    "anthropic": (
        {
            dim: tuple(f"anthropic-ratelimit-{name}-{what}" for what in ("limit", "remaining", "reset"))  # type: ignore[misc]
            for dim, name in ANTHROPIC.items()
        },
        True,
        {},
    ),
    "mistral": (_by(MISTRAL, "x-ratelimit-"), True, {"month": next_month}),
    # Groq counts requests by the day and tokens by the minute.
    "groq": (PLAIN, True, {"requests": next_day}),
    "cohere": (
        {"requests": ("x-trial-endpoint-call-limit", "x-trial-endpoint-call-remaining", "")},
        True,
        {},
    ),
}
"""Kind → names of its headers (limit, remaining, reset) by dimension; whether a limit of 0 means no allowance; when a
limit ends that does not say. Gemini sends none of them."""
