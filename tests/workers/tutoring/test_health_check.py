"""Health as a job: all providers at once, incidents, and who is told of them how often."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.workers.tutoring.providers import Providers
from tests.workers.tutoring.six_providers import KEYS, SixProviders, served
from workers.tutoring.health_check import health_check

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
FIVE = timedelta(minutes=5)
ROOMY = {"provider_timeout_s": 20, "memory_warning_mb": 90_000, "memory_critical_mb": 99_000, "disk_warning_pct": 0.01,
         "disk_critical_pct": 0, "database_warning_ms": 50_000, "database_critical_ms": 60_000}  # fmt: skip


@pytest.fixture
async def six(providers: Providers) -> AsyncIterator[SixProviders]:
    """Behind the addresses that the table of providers has."""
    async with served() as six:
        for name in KEYS:
            await providers.school.connection.execute(
                "UPDATE tutoring.ai_provider SET base_url = $2 WHERE name = $1", name, six.base_url(name)
            )
        yield six


async def checked(providers: Providers, at: datetime, **more: Any) -> Any:
    settings = {"keys": KEYS, "health": {**ROOMY, **more.pop("health", {})}, **more}
    return await providers.succeed(health_check, at, settings=settings)


async def test_all_six_are_asked_at_once_and_all_is_well(providers: Providers, six: SixProviders) -> None:
    six.together = 6  # none is answered before all have asked
    report = await checked(providers, NOON)
    assert (report["overall"], report["recommendations"]) == ("healthy", [])
    assert sorted(six.asked) == sorted(KEYS)
    assert {name for name in report["checks"] if name.startswith("provider:")} == {f"provider:{name}" for name in KEYS}
    assert report["checks"]["provider:groq"]["verdict"] == "up"
    assert {"database_ms", "resident_mb", "disk_free_pct:/"} <= set(report["checks"])
    assert await providers.school.value("SELECT count(*) FROM tutoring.provider_check WHERE ok") == 6
    assert await providers.school.count("provider_incident") == 0
    assert await providers.alerts() == []


async def test_each_kind_of_trouble_is_told_apart(providers: Providers, six: SixProviders) -> None:
    six.does = {"openai": "reset", "anthropic": "401", "gemini": "429", "mistral": "html"}
    report = await checked(providers, NOON)
    assert report["overall"] == "degraded"
    verdicts = {name: report["checks"][f"provider:{name}"]["verdict"] for name in KEYS}
    assert verdicts == {"openai": "down", "anthropic": "misconfigured", "gemini": "limited", "mistral": "down",
                        "groq": "up", "cohere": "up"}  # fmt: skip
    assert any("Renew the key of anthropic" in line for line in report["recommendations"])
    incidents = await providers.school.rows("SELECT verdict FROM tutoring.provider_incident ORDER BY provider_id")
    assert incidents == [("down",), ("misconfigured",), ("down",)]


async def test_the_health_check_says_nothing_of_limits(providers: Providers, six: SixProviders) -> None:
    six.does = {"gemini": "429"}
    await checked(providers, NOON)
    assert await providers.school.count("rate_limit_state") == 0
    assert await providers.school.count("provider_reading") == 0


async def test_the_third_failure_in_a_row_is_told_once_and_its_end_once(
    providers: Providers, six: SixProviders
) -> None:
    async def go_on(*steps: str) -> list[str]:
        for does in steps:
            six.does = {"openai": does}
            nonlocal at
            at += FIVE
            await checked(providers, at)
        return await providers.alerts()

    at = NOON
    assert await go_on("500", "500") == []
    assert await providers.asked(at) == "openai"
    assert await go_on("500") == ["openai is down: HTTP 500"]
    assert await providers.asked(at) == "anthropic"
    assert await go_on("500", "401", "html") == ["openai is down: HTTP 500"]
    assert await go_on("well") == ["openai is down: HTTP 500", "openai is well again"]
    assert await go_on("500", "500", "well") == ["openai is down: HTTP 500", "openai is well again"]
    assert await providers.school.rows(
        "SELECT failures, date_trunc('second', alerted_at - started_at), date_trunc('second', ended_at - started_at) "
        "FROM tutoring.provider_incident ORDER BY id"
    ) == [(6, 2 * FIVE, 6 * FIVE), (2, None, 2 * FIVE)]


async def test_a_provider_without_a_key_is_not_asked_and_has_no_incident(
    providers: Providers, six: SixProviders
) -> None:
    six.does = {"openai": "500"}
    await checked(providers, NOON)
    report = await checked(providers, NOON + FIVE, keys={"groq": KEYS["groq"]})
    assert (report["overall"], six.asked.count("openai")) == ("healthy", 1)
    (advice,) = report["recommendations"]
    assert advice == (
        "Not checked for want of a key: openai, anthropic, gemini, mistral, cohere; set suite.tutoring.keys, such as "
        "SEXTON_SUITE__TUTORING__KEYS__OPENAI in the environment"
    )
    assert await providers.school.value("SELECT count(*) FROM tutoring.provider_incident WHERE ended_at IS NULL") == 0


async def test_where_nobody_is_asked_nothing_is_called_healthy(providers: Providers, six: SixProviders) -> None:
    report = await checked(providers, NOON, keys={})
    assert (report["overall"], six.asked) == ("unconfigured", [])
    assert "openai, anthropic, gemini, mistral, groq, cohere; set suite.tutoring.keys" in report["recommendations"][0]
    await providers.school.connection.execute("UPDATE tutoring.ai_provider SET enabled = false")
    report = await checked(providers, NOON + FIVE)
    said = ["Nobody is checked: every provider is disabled; enable one in tutoring.ai_provider"]
    assert (report["overall"], report["recommendations"]) == ("unconfigured", said)


async def test_no_key_is_kept_or_logged(
    providers: Providers, six: SixProviders, caplog: pytest.LogCaptureFixture
) -> None:
    six.does = {"openai": "401", "gemini": "500", "groq": "garbage"}
    for n in range(3):
        await checked(providers, NOON + n * FIVE)
    kept = await providers.school.rows(
        "SELECT (SELECT json_agg(c) FROM tutoring.provider_check c)::text, "
        "(SELECT json_agg(s) FROM tutoring.system_check s)::text, (SELECT json_agg(o) FROM sexton.outbox o)::text, "
        "(SELECT json_agg(r) FROM sexton.run r)::text, (SELECT json_agg(l) FROM sexton.run_log l)::text"
    )
    assert "key-of-" not in json.dumps(kept) + caplog.text


async def test_a_disk_that_is_full_is_told_when_it_begins_and_when_it_ends(
    providers: Providers, six: SixProviders
) -> None:
    for n, critical in enumerate([0, 99.9, 99.9, 0]):
        await checked(providers, NOON + n * FIVE, health={"disk_critical_pct": critical, "disk_warning_pct": 100})
    first, last = await providers.alerts()
    assert first.endswith("delete old backups and logs, or enlarge it")
    assert last == "disk_free_pct:/ is no longer critical"
    states = await providers.school.rows("SELECT overall FROM tutoring.system_check ORDER BY checked_at")
    assert states == [("healthy",), ("unhealthy",), ("unhealthy",), ("healthy",)]


async def test_three_good_checks_bring_a_provider_back(providers: Providers, six: SixProviders) -> None:
    await providers.uses("openai", 97, NOON)
    for n in range(1, 4):
        await checked(providers, NOON + n * FIVE)
        await providers.monitor(NOON + n * FIVE)
        assert (await providers.state("openai"))[0] == ("UNKNOWN" if n == 3 else "FAILOVER")
