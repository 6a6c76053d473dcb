"""Health checks on a real database and this machine: kept, judged, told once an hour, recovered once."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from tests.workers.investment.house import House
from workers.investment.system_health import system_health

NOON = datetime(2026, 11, 22, 12, tzinfo=ZoneInfo("Asia/Kolkata"))
QUARTER = timedelta(minutes=15)
CALM = {"load_per_core": {"warning": 1e6, "critical": 1e7}, "memory_free_pct": {"warning": 0.1, "critical": 0},
        "disk_free_pct": {"warning": 0.1, "critical": 0}, "resident_mb": {"warning": 1e6, "critical": 1e7},
        "database_ms": {"warning": 1e6, "critical": 1e7}}  # fmt: skip
"""Limits that no machine that runs these tests crosses; pending transactions keep their own."""


@pytest.fixture
def house(url: str, connection: asyncpg.Connection) -> House:
    return House(url, connection)


async def check(house: House, at: datetime, **health: Any) -> dict[str, Any]:
    run = await house.perform(system_health, at, settings={"health": CALM | health})
    assert (run.ending, run.error) == ("succeeded", None)
    result: dict[str, Any] = run.result
    return result


async def pending(house: House, since: datetime, number: int = 1) -> None:
    for n in range(number):
        await house.insert("ledger", user_id=1, kind="WITHDRAWAL", status="PENDING", amount=-1, currency="INR",
                           ref=f"w{n}-{since}", created_at=since)  # fmt: skip


async def test_a_healthy_house_is_kept_and_nobody_is_told(house: House) -> None:
    result = await check(house, NOON)
    assert (result["severity"], result["told"]) == ("ok", 0)
    assert set(result["checks"]) == {
        "database_ms", "resident_mb", "memory_free_pct", "load_per_core", "disk_free_pct:/", "pending_transactions",
        "active_users", "pending",
    }  # fmt: skip
    assert result["checks"]["database_ms"]["value"] > 0
    assert result["checks"]["resident_mb"]["value"] > 10
    ((at, severity, checks),) = await house.rows("SELECT * FROM investment.health_check")
    assert (at, severity, json.loads(checks)) == (NOON, "ok", result["checks"])
    assert await house.keys() == []


async def test_the_platform_finds_it_under_its_own_key(house: House) -> None:
    await check(house, NOON)
    query = "SELECT key FROM investment.system_settings_compat WHERE key LIKE 'health_check_%'"
    assert await house.rows(query) == [("health_check_2026-11-22T06:30:00.000Z",)]


async def test_withdrawals_pending_for_exactly_half_an_hour_are_still_fine(house: House) -> None:
    await pending(house, NOON - timedelta(minutes=30))
    result = await check(house, NOON)
    assert result["severity"] == "ok"
    assert result["checks"]["pending"]["value"] == 1


async def test_an_older_one_is_a_warning_to_each_administrator(house: House) -> None:
    await pending(house, NOON - timedelta(minutes=30, microseconds=1))
    result = await check(house, NOON)
    assert (result["severity"], result["told"]) == ("warning", 2)
    assert await house.keys() == [
        "health:pending_transactions:warning:2026-11-22T06Z:ada@example.org",
        "health:pending_transactions:warning:2026-11-22T06Z:bob@example.org",
    ]
    subject, text, html = (await house.texts())[0]
    assert subject == "[warning] pending_transactions is 1 (over 0)"
    assert "Measured: 2026-11-22 12:00 IST" in text
    assert html is not None


async def test_it_is_told_once_an_hour_and_again_when_it_gets_worse(house: House) -> None:
    await pending(house, NOON - timedelta(hours=1))
    told = [(await check(house, NOON + n * QUARTER))["told"] for n in range(4)]
    assert told == [2, 0, 2, 0]  # 06:30, 06:45, then 07:00 and 07:15 UTC
    await pending(house, NOON - timedelta(hours=2), number=100)
    worse = await check(house, NOON + 4 * QUARTER)
    assert (worse["severity"], worse["told"]) == ("critical", 2)


async def test_a_recovery_is_told_once_and_says_how_long_it_took(house: House) -> None:
    await pending(house, NOON - timedelta(hours=1))
    await check(house, NOON)
    await house.connection.execute("UPDATE investment.ledger SET status = 'POSTED'")
    assert (await check(house, NOON + QUARTER))["told"] == 2
    assert (await check(house, NOON + 2 * QUARTER))["told"] == 0
    assert (await house.keys())[2] == "health:pending_transactions:recovered:2026-11-22T06:30Z:ada@example.org"
    subject, text, _ = (await house.texts())[2]
    assert subject == "[recovered] pending_transactions is 0"
    assert "from 2026-11-22 12:00 IST to 2026-11-22 12:15 IST" in text


async def test_people_seen_in_the_last_quarter_are_counted_once(house: House) -> None:
    for user, ago in ((1, 1), (1, 5), (2, 15), (3, 16)):
        await house.insert("session", user_id=user, last_seen_at=NOON - timedelta(minutes=ago), expires_at=NOON)
    assert (await check(house, NOON))["checks"]["active_users"]["value"] == 2


async def test_a_disk_that_is_not_there_is_a_warning_and_the_rest_is_measured(house: House) -> None:
    result = await check(house, NOON, disks=["/nowhere/at/all"])
    assert result["severity"] == "warning"
    assert result["checks"]["disk_free_pct:/nowhere/at/all"] == {"value": None, "severity": "warning"}
    assert result["checks"]["load_per_core"]["value"] is not None


async def test_a_worker_that_does_not_answer_is_itself_a_finding(house: House) -> None:
    async def dead(fn: Callable[..., Any], *args: Any, **options: Any) -> Any:
        raise TimeoutError("no answer in 10 s")

    run = await house.perform(system_health, NOON, settings={"health": CALM}, compute=dead)
    assert run.ending == "succeeded"
    assert run.result["severity"] == "warning"
    assert run.result["checks"]["disk_free_pct:/"]["value"] is None
    assert run.result["checks"]["database_ms"]["value"] > 0


async def test_without_administrators_it_is_kept_all_the_same(house: House) -> None:
    await pending(house, NOON - timedelta(hours=1))
    run = await house.perform(system_health, NOON, settings={"health": CALM, "administrators": ()})
    assert (run.ending, run.result["severity"], run.result["told"]) == ("succeeded", "warning", 0)
    assert await house.rows("SELECT name, severity FROM investment.health_trouble") == [
        ("pending_transactions", "warning")
    ]
