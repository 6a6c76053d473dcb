"""The monitor of every minute, the chooser, and a day of readings as the documentation tells it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.workers.tutoring.providers import Providers
from workers.tutoring.rate_limit_monitor import rate_limit_monitor

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CHAIN = ["openai", "anthropic", "gemini", "mistral", "groq", "cohere"]


async def test_it_reports_every_provider_and_whom_to_ask(providers: Providers) -> None:
    await providers.uses("openai", 97, NOON)
    report = await providers.monitor(NOON + timedelta(seconds=5))
    assert report["asked"] == "anthropic"
    assert report["providers"][:2] == [
        {"provider": "openai", "state": "FAILOVER", "percentage": 97.0},
        {"provider": "anthropic", "state": "UNKNOWN", "percentage": None},
    ]


async def test_when_all_are_past_95_percent_the_least_used_is_asked(providers: Providers) -> None:
    for name, percent in zip(["openai", "groq"], [99, 96], strict=True):
        await providers.uses(name, percent, NOON)
    await providers.school.connection.execute(
        "UPDATE tutoring.ai_provider SET enabled = false WHERE name <> ALL ('{openai,groq}')"
    )
    assert await providers.asked(NOON) == "groq"
    assert await providers.asked(NOON, "groq") == "openai"


async def test_when_all_are_blocked_there_is_nobody_and_it_is_told_once(providers: Providers) -> None:
    for name in CHAIN:
        await providers.report(name, {"retry-after": "300"}, NOON, status=429)
    await providers.read(NOON)
    assert (await providers.monitor(NOON + MINUTE))["asked"] is None
    assert await providers.asked(NOON) is None
    told = await providers.alerts()
    assert told.count("no_provider") == 1
    assert "openai is blocked, and nobody is left" in told
    assert await providers.asked(NOON + 5 * MINUTE) == "openai"  # whole again, were the daemon away or not


async def test_a_record_of_more_tokens_than_there_are_fills_that_providers_limit_and_stops_nothing(
    providers: Providers,
) -> None:
    await providers.school.connection.execute(
        "INSERT INTO tutoring.provider_limit (provider_id, dim, per, limit_n) VALUES (3, 'tokens', 'day', 10)"
    )
    await providers.school.insert("api_usage", provider_id=3, at=NOON, input_tokens=2**63 - 1, output_tokens=2**63 - 1)
    await providers.monitor(NOON + MINUTE)
    assert await providers.state("gemini") == ("BLOCKED", 100.0, "openai")


async def test_one_that_seems_down_is_asked_last(providers: Providers) -> None:
    await providers.school.connection.execute(
        "INSERT INTO tutoring.provider_incident (provider_id, verdict, started_at, alerted_at) "
        "VALUES (1, 'down', $1, $1)",
        NOON,
    )
    assert await providers.asked(NOON) == "anthropic"
    assert await providers.asked(NOON, *CHAIN[1:]) == "openai"


async def test_a_provider_is_forgotten_by_name(providers: Providers) -> None:
    await providers.report("openai", {"retry-after": "80000"}, NOON, status=429)
    await providers.read(NOON)
    await providers.monitor(NOON, args={"forget": "openai"})
    assert await providers.state("openai") == ("UNKNOWN", None, None)


async def test_a_name_that_is_no_providers_is_told(providers: Providers) -> None:
    run = await providers.school.perform(rate_limit_monitor, NOON, args={"forget": "opnai"})
    assert run.ending == "failed"
    assert "'opnai'}: there is no such provider" in (run.error or "")


@pytest.mark.parametrize("good", [2, 3])
async def test_it_is_asked_again_after_the_reset_and_three_good_checks(providers: Providers, good: int) -> None:
    await providers.uses("openai", 97, NOON)
    await providers.check("openai", NOON + MINUTE)
    await providers.check("openai", NOON + 2 * MINUTE, "down")
    for n in range(good):
        await providers.check("openai", NOON + (5 + n) * MINUTE)
    await providers.monitor(NOON + 10 * MINUTE)
    assert await providers.state("openai") == (
        ("UNKNOWN", None, None) if good == 3 else ("FAILOVER", None, "anthropic")
    )
    assert ("openai is asked again" in await providers.alerts()) == (good == 3)


def told_day() -> list[list[str]]:
    """The rows of the documentation's table."""
    text = Path("docs/suites/tutoring.md").read_text(encoding="utf-8")
    table = text.partition("<!-- a day -->")[2].partition("<!-- end -->")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines()]
    return rows[2:]


async def happens(providers: Providers, what: str, at: datetime) -> None:
    """`openai answers: 81 % used, resets 10:30`, `openai refuses: retry-after 600`, `health check: openai up`, …"""
    if what == "the monitor looks":
        await providers.monitor(at)
    elif what.startswith("health check: "):
        name, verdict = what.removeprefix("health check: ").split()
        await providers.check(name, at, verdict)
        await providers.monitor(at)
    elif " refuses: retry-after " in what:
        name, _, wait = what.partition(" refuses: retry-after ")
        await providers.report(name, {"retry-after": wait}, at, status=429)
        await providers.read(at)
    else:
        name, _, said = what.partition(" answers: ")
        percent, _, until = said.partition(" % used, resets ")
        await providers.uses(name, float(percent), at, until=at_time(until))


def at_time(clock: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-20T{clock}Z")


async def test_a_day_goes_as_the_documentation_says(providers: Providers) -> None:
    """The failover table: each row is played, and what becomes of it is written as the table has it."""
    played = []
    for clock, what, *_ in told_day():
        at = at_time(clock)
        await happens(providers, what, at)
        states = [await providers.state(name) for name in ("openai", "anthropic")]
        cells = [state if used is None else f"{state} {used:g} %" for state, used, _ in states]
        played.append([clock, what, *cells, await providers.asked(at) or "nobody"])
    assert played == told_day()
    assert len(played) >= 15
