"""What the schema itself refuses, and the views that the engine and the platform read."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from daemon.currency import OF_CURRENCY
from tests.workers.investment.house import House
from workers.investment.system_health import system_health

QUARTER = datetime(2026, 11, 22, 6, 15, tzinfo=UTC)
LEVEL = "INSERT INTO investment.commission_level VALUES ({level}, '{valid}', {rate})"
RATE = "INSERT INTO investment.plan_rate VALUES (1, '{valid}', {rate}, {cap})"
HELD = (
    "INSERT INTO investment.investment (user_id, plan_id, principal, activated_on, last_accrual_on, currency, status) "
    "VALUES (1, 1, {principal}, {on}, {until}, '{currency}', '{status}')"
)


@pytest.fixture
async def house(url: str, connection: asyncpg.Connection) -> House:
    house = House(url, connection)
    await house.user(1)
    await house.plan()
    return house


def held(**other: str) -> str:
    values = {"principal": "1", "on": "'2026-01-01'", "until": "'2026-02-01'", "currency": "INR", "status": "ACTIVE"}
    return HELD.format(**(values | other))


def rate(valid: str, daily: str = "0.01", cap: str = "NULL") -> str:
    return RATE.format(valid=valid, rate=daily, cap=cap)


def level(n: int, rate: str, valid: str = "[2026-01-01,)") -> str:
    return LEVEL.format(level=n, rate=rate, valid=valid)


@pytest.mark.parametrize(
    "values",
    [
        {"phone": "0041 79 000 00 01"}, {"phone": "+0123456789"}, {"status": "GONE"}, {"prefs": "[]"},
        {"prefs": '{"quiet_start": "25:00"}'}, {"prefs": '{"quiet_end": "7"}'}, {"prefs": '{"opted_out": "email"}'},
    ],
    ids=str,
)  # fmt: skip
async def test_a_person_who_could_not_be_written_to_is_refused(house: House, values: dict[str, Any]) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await house.user(2, **values)


async def test_a_zone_that_does_not_exist_is_refused(house: House) -> None:
    with pytest.raises(asyncpg.InvalidParameterValueError, match="Mars/Olympus"):
        await house.user(2, tz="Mars/Olympus")


async def test_two_people_cannot_have_one_address(house: House) -> None:
    with pytest.raises(asyncpg.UniqueViolationError, match="app_user_email"):
        await house.user(2, email="U1@Example.ORG")


@pytest.mark.parametrize(
    "statement",
    [
        held(principal="0"), held(principal="-1"), held(principal="'NaN'"), held(currency="inr"), held(currency="BTC"),
        held(until="'2026-01-01'"), held(until="NULL"), held(on="NULL"), held(on="NULL", until="NULL"),
        held(status="ENDED"),
    ],
)  # fmt: skip
async def test_an_investment_that_could_not_be_paid_is_refused(house: House, statement: str) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await house.connection.execute(statement)


async def test_an_investment_may_be_entered_before_it_is_active(house: House) -> None:
    await house.connection.execute(held(on="NULL", until="NULL", status="PENDING"))
    with pytest.raises(asyncpg.CheckViolationError):
        await house.connection.execute("UPDATE investment.investment SET status = 'ACTIVE'")


@pytest.mark.parametrize(
    "statement",
    [
        rate("[1990-01-01,1991-01-01)", "-0.01"), rate("[1990-01-01,1991-01-01)", cap="-1"), rate("(,1990-01-01)"),
        rate("empty"), rate("[1990-01-01,1991-01-01)", "'NaN'"), rate("[1990-01-01,1991-01-01)", cap="'NaN'"),
        level(1, "'NaN'"), level(1, "-0.1"), level(6, "0.1"), level(0, "0.1"), level(1, "0.1", "(,2026-01-01)"),
        level(1, "0.1", "empty"),
    ],
)  # fmt: skip
async def test_a_rate_that_means_nothing_is_refused(house: House, statement: str) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await house.connection.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO investment.ledger (ref, kind, user_id, amount, currency) VALUES ('a', 'DEPOSIT', 1, 'NaN', 'INR')",
        "INSERT INTO investment.wallet VALUES (1, 'INR', 'NaN')",
    ],
)
async def test_a_sum_that_is_no_number_is_refused(house: House, statement: str) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match="is_a_number"):
        await house.connection.execute(statement)


async def test_currencies_of_other_places_than_two_are_refused_whichever_they_are(house: House) -> None:
    """What the engine knows to be shown with other places is exactly what may not be paid in."""
    for currency in ("INR", "USD", "EUR", "AED", "MRU", "ZWG"):
        await house.connection.execute(held(currency=currency))
    for currency in OF_CURRENCY:
        with pytest.raises(asyncpg.CheckViolationError):
            await house.connection.execute(held(currency=currency))


async def test_days_before_and_after_may_have_other_rates(house: House) -> None:
    await house.connection.execute(rate("[1990-01-01,2000-01-01)", "0.5"))
    with pytest.raises(asyncpg.ExclusionViolationError):
        await house.connection.execute(rate("[1999-12-31,2000-01-01)"))


async def test_levels_may_add_up_to_the_whole_return_but_to_no_more_on_any_day(house: House) -> None:
    await house.connection.execute(level(1, "0.6"))
    await house.connection.execute(level(2, "0.4", "[2026-05-01,2026-06-01)"))
    with pytest.raises(asyncpg.CheckViolationError, match=r"100\.0001 % from 2026-05-31"):
        await house.connection.execute(level(3, "0.000001", "[2026-05-31,2026-07-01)"))
    await house.connection.execute(level(3, "0.4", "[2026-06-01,)"))


async def test_two_changes_of_levels_at_once_cannot_be_too_much_together(house: House, url: str) -> None:
    other = await asyncpg.connect(url)
    mine, theirs = house.connection.transaction(), other.transaction()
    await mine.start()
    await theirs.start()
    await house.connection.execute(level(1, "0.6"))
    await other.execute(level(2, "0.6"))
    await house.connection.execute("SET CONSTRAINTS ALL IMMEDIATE")  # looks, sees 60 %, and has the guard
    late = asyncio.ensure_future(theirs.commit())
    while not await house.value("SELECT count(*) FROM pg_locks WHERE NOT granted"):
        assert not late.done()
        await asyncio.sleep(0)
    await mine.commit()
    with pytest.raises(asyncpg.CheckViolationError, match="120"):
        await late
    await other.close()
    assert await house.value("SELECT sum(rate) FROM investment.commission_level") == Decimal("0.6")


async def test_the_outbox_reads_of_a_person_what_it_needs(house: House) -> None:
    prefs = json.dumps({"quiet_start": "22:00", "quiet_end": "07:30", "opted_out": ["promotional", "sms"]})
    await house.user(2, phone="+919800000001", tz="Europe/London", locale="en-GB", prefs=prefs, status="DELETED")
    rows = await house.connection.fetch("SELECT * FROM investment.sexton_recipient ORDER BY id")
    assert dict(rows[0]) == {
        "id": "1", "email": "u1@example.org", "phone": None, "timezone": "Asia/Kolkata", "locale": "en-IN",
        "quiet_start": None, "quiet_end": None, "opted_out": [], "deleted": False,
    }  # fmt: skip
    assert dict(rows[1]) == {
        "id": "2", "email": "u2@example.org", "phone": "+919800000001", "timezone": "Europe/London", "locale": "en-GB",
        "quiet_start": time(22), "quiet_end": time(7, 30), "opted_out": ["promotional", "sms"], "deleted": True,
    }  # fmt: skip


async def test_the_platforms_old_keys_show_what_the_tables_hold_now(house: House) -> None:
    await house.insert("system_setting", key="currency", value='"INR"', **{"class": "config"})
    run = await house.perform(system_health, QUARTER)
    started = await house.value("SELECT started_at FROM sexton.run WHERE id = $1", run.id)
    shown = {key: json.loads(value) for key, value in await house.rows(
        "SELECT key, value FROM investment.system_settings_compat")}  # fmt: skip
    process_log = f"process_log_system-health_{started:%Y-%m-%dT%H:%M:%S}.{started.microsecond // 1000:03}Z"
    assert set(shown) == {"currency", "health_check_2026-11-22T06:15:00.000Z", process_log}
    assert shown[process_log]["status"] == "succeeded"
    assert shown[process_log]["data"]["severity"] == run.result["severity"]
    assert shown["health_check_2026-11-22T06:15:00.000Z"]["severity"] == run.result["severity"]
    assert shown[process_log]["duration_ms"] >= timedelta(0) / timedelta(milliseconds=1)
