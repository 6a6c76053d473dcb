"""Providers and health over HTTP, from a real node: who may ask what, and what it comes to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from tests.daemon.admin.house import house
from tests.workers.tutoring.providers import Providers, requests
from tests.workers.tutoring.school import School
from workers.tutoring.health_check import health_check

PACKAGES = {"tutoring": "workers.tutoring"}
API = "/api/v1"


@pytest.fixture
async def now(connection: asyncpg.Connection) -> Any:
    return await connection.fetchval("SELECT sexton.clock()")


async def test_an_application_reports_a_call_and_asks_whom_to_call_next(
    url: str, connection: asyncpg.Connection, now: Any
) -> None:
    providers = Providers(School(url, connection))
    async with house(url, packages=PACKAGES) as h:
        picked = (await h.viewer.post(f"{API}/providers/pick")).raise_for_status().json()
        assert (picked["name"], picked["state"], picked["reason"]) == ("openai", "UNKNOWN", "preferred")
        call = {
            "status": 200, "headers": requests(97, timedelta(minutes=50)), "input_tokens": 8, "output_tokens": 2,
            "latency_ms": 900, "student_id": 17, "request_id": "call-1", "body": {"odd": "\u0000"},
        }  # fmt: skip
        for counted in (True, False):
            told = await h.operator.post(f"{API}/providers/openai/usage", json=call)
            assert told.raise_for_status().json() == {"counted": counted}
        await providers.read(now)
        picked = (await h.viewer.post(f"{API}/providers/pick", json={})).raise_for_status().json()
        assert (picked["name"], picked["reason"]) == ("anthropic", "fallback")
        left_out = {"leave_out": ["anthropic"]}
        assert (await h.viewer.post(f"{API}/providers/pick", json=left_out)).json()["name"] == "gemini"

        openai = (await h.viewer.get(f"{API}/providers")).raise_for_status().json()[0]
        assert (openai["name"], openai["state"], openai["percentage"]) == ("openai", "FAILOVER", 97.0)
        assert (openai["fallback"], openai["uptime_pct"], openai["verdict"]) == ("anthropic", None, None)
        assert [(level["dim"], level["remaining"], level["source"]) for level in openai["limits"]] == [
            ("requests", 300, "header")
        ]
        history = (await h.viewer.get(f"{API}/providers/openai")).raise_for_status().json()
        assert [change["to_state"] for change in history["transitions"]] == ["FAILOVER"]
    assert await connection.fetchval("SELECT sum(input_tokens) FROM tutoring.api_usage") == 8


async def test_when_nobody_has_room_the_caller_is_told_when_to_ask_again(
    url: str, connection: asyncpg.Connection, now: Any
) -> None:
    providers = Providers(School(url, connection))
    for name in ("openai", "anthropic", "gemini", "mistral", "groq", "cohere"):
        await providers.report(name, {"retry-after": "3600"}, now, status=429)
    await providers.read(now)
    async with house(url, packages=PACKAGES) as h:
        refused = await h.viewer.post(f"{API}/providers/pick", json={})
    assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json")
    assert refused.json()["detail"] == "no AI provider has room now"
    assert 0 < int(refused.headers["retry-after"]) <= 3600


async def test_who_may_do_what_and_what_makes_no_sense(url: str) -> None:
    async with house(url, packages=PACKAGES) as h:
        asked = [(await h.client(r).post(f"{API}/providers/openai/usage", json={})).status_code for r in h._clients]
        assert asked == [401, 403, 200, 200]
        assert (await h.client(None).post(f"{API}/providers/pick", json={})).status_code == 401
        for path in ("providers/opnai", "system-health"):
            assert (await h.viewer.get(f"{API}/{path}")).status_code == 404
        unknown = await h.operator.post(f"{API}/providers/opnai/usage", json={})
        assert (unknown.status_code, unknown.json()["detail"]) == (404, "there is no provider 'opnai'")
        for wrong in ({"status": 42}, {"input_tokens": -1}, {"headers": {"a": 1}}, {"at": "2026-11-20T12:00:00"},
                      {"error": "\u0000"}, {"tokens": 5}, {"student_id": 2**63}, {"at": "0001-01-01T00:00:00+14:00"},
                      {"at": "9999-12-31T23:59:59-14:00"}):  # fmt: skip
            assert (await h.operator.post(f"{API}/providers/openai/usage", json=wrong)).status_code == 422, wrong


async def test_a_long_header_that_is_none_of_the_limiters_business_costs_no_report(url: str) -> None:
    headers = {**requests(97, timedelta(minutes=50)), "content-security-policy": "default-src 'none'; " * 300}
    async with house(url, packages=PACKAGES) as h:
        told = await h.operator.post(f"{API}/providers/openai/usage", json={"status": 200, "headers": headers})
        assert told.raise_for_status().json() == {"counted": True}


async def test_the_last_health_and_those_before(url: str, connection: asyncpg.Connection, now: Any) -> None:
    providers = Providers(School(url, connection))
    for n in range(2):
        await providers.succeed(health_check, now + timedelta(minutes=5 * n))
    async with house(url, packages=PACKAGES) as h:
        health = (await h.viewer.get(f"{API}/system-health")).raise_for_status().json()
        assert health["overall"] in ("unconfigured", "degraded", "unhealthy")  # by the machine the test runs on
        assert "Not checked for want of a key" in health["recommendations"][-1]
        assert len((await h.viewer.get(f"{API}/system-health/history")).json()) == 2
        assert (await h.viewer.get(f"{API}/system-health/history?limit=0")).status_code == 422
