"""The suite's metrics, as the tables have them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncpg

from daemon import suite_gauges
from tests.workers.tutoring.providers import Providers


async def read(connection: asyncpg.Connection) -> dict[str, Any]:
    found = [await suite_gauges.read(connection, g) for g in suite_gauges.load({"tutoring": "workers.tutoring"})]
    return {gauged.name.removeprefix("sexton_tutoring_"): dict(gauged.samples) for gauged in found}


async def test_what_is_not_known_has_no_sample(connection: asyncpg.Connection) -> None:
    told = await read(connection)
    assert told.pop("provider_available") == {(): 1.0}
    assert [name for name, samples in told.items() if samples] == []


async def test_the_last_health_check_has_a_figure_where_it_could_ask_somebody(providers: Providers) -> None:
    now = await providers.school.value("SELECT sexton.clock()")
    seen = []
    for minutes, overall in enumerate(["healthy", "degraded", "unhealthy", "unconfigured"]):
        at = now + timedelta(minutes=minutes)
        await providers.school.insert("system_check", checked_at=at, overall=overall, checks="{}", recommendations="[]")
        seen.append((await read(providers.school.connection))["health"])
    assert seen == [{(): 2.0}, {(): 1.0}, {(): 0.0}, {}]


async def test_usage_checks_and_who_is_diverted(providers: Providers) -> None:
    now = await providers.school.value("SELECT sexton.clock()")
    await providers.uses("openai", 96.5, now)
    await providers.report("groq", {"retry-after": "60"}, now, status=429)
    await providers.read(now)
    for minutes, verdict in ((10, "down"), (5, "up")):
        await providers.check("openai", now - timedelta(minutes=minutes), verdict)
    await providers.check("gemini", now - timedelta(minutes=5), "misconfigured")
    await providers.check("cohere", now - timedelta(hours=2))
    told = await read(providers.school.connection)
    assert told["provider_usage_ratio"] == {("openai",): 0.965, ("groq",): 1.0}
    assert told["provider_up"] == {("openai",): 1.0, ("gemini",): 0.0}
    assert told["provider_diverted"] == {("openai", "failover"): 1.0, ("groq", "blocked"): 1.0}
    assert told["provider_available"] == {(): 1.0}
