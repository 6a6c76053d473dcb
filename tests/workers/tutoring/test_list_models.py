"""One provider asked for its models over a real connection, in every state it may be in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.tutoring.six_providers import KEYS, NAMES, SixProviders, served
from workers.tutoring.list_models import Checked, check, judged


@pytest.fixture
async def six() -> AsyncIterator[SixProviders]:
    async with served() as six:
        yield six


async def asked(six: SixProviders, name: str, *, key: str | None = None, seconds: float = 60) -> Checked:
    async with httpx.AsyncClient() as client:
        base = six.base_url(name)
        return await check(client, name, base, key or KEYS[name], timedelta(seconds=seconds))


@pytest.mark.parametrize("name", NAMES)
async def test_each_is_asked_as_it_wants_to_be_and_is_up(six: SixProviders, name: str) -> None:
    found = await asked(six, name)
    assert (found.verdict, found.http_status, found.error, found.ok) == ("up", 200, None, True)


@pytest.mark.parametrize(
    ("does", "verdict", "status"),
    [("401", "misconfigured", 401), ("403", "misconfigured", 403), ("429", "limited", 429), ("500", "down", 500),
     ("302", "down", 302), ("html", "down", 200), ("endless", "down", 200), ("reset", "down", None),
     ("garbage", "down", None)],
)  # fmt: skip
async def test_what_else_may_come_is_a_verdict(six: SixProviders, does: str, verdict: str, status: int | None) -> None:
    six.does = {"groq": does}
    found = await asked(six, "groq")
    assert (found.verdict, found.http_status) == (verdict, status)
    assert found.ok == (verdict == "limited")
    assert found.error
    assert KEYS["groq"] not in found.error


async def test_one_that_hangs_is_given_up(six: SixProviders) -> None:
    six.does = {"openai": "hang"}
    found = await asked(six, "openai", seconds=0.3)
    assert (found.verdict, found.error) == ("down", "no answer within 0.3 s")


async def test_a_key_that_is_wrong_is_told_as_that(six: SixProviders) -> None:
    assert (await asked(six, "gemini", key="another")).verdict == "misconfigured"


@pytest.mark.parametrize("base", ["http://127.0.0.1:1", "http://nowhere.invalid", "http://[", "ftp://host"])
async def test_one_that_is_not_there_is_down(base: str) -> None:
    async with httpx.AsyncClient() as client:
        found = await check(client, "openai", base, "k", timedelta(seconds=60))
    assert found.verdict == "down"
    assert (found.error or "").startswith("it cannot be reached")


@given(st.integers(100, 599), st.binary(max_size=50))
def test_any_answer_has_a_verdict(status: int, body: bytes) -> None:
    verdict, error = judged(status, body)
    assert (verdict == "up") == (error is None)
