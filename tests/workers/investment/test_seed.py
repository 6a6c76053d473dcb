"""The sample house on a real database: loaded once, added to, believable to every job of the suite."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from tests.workers.investment.house import House
from tests.workers.investment.payouts import INDIA
from workers.investment import seed as seeding
from workers.investment.daily_roi_distribution import daily_roi_distribution
from workers.investment.ledger_audit import ledger_audit
from workers.investment.seed import seed
from workers.investment.system_health import system_health

TABLES = (
    "app_user", "plan", "plan_rate", "commission_level", "investment", "ledger", "wallet", "session", "notification",
    "system_setting",
)  # fmt: skip
STABLE = (
    "SELECT id, email, phone, tz, status, referrer_id, prefs FROM investment.app_user WHERE id <= 800 ORDER BY id",
    "SELECT id, user_id, plan_id, principal, currency, status FROM investment.investment WHERE id <= 1024 ORDER BY id",
    "SELECT ref, amount FROM investment.ledger WHERE user_id <= 800 AND kind = 'WITHDRAWAL' ORDER BY ref",
)


@pytest.fixture
def house(url: str, connection: asyncpg.Connection) -> House:
    return House(url, connection)


async def load(house: House, scale: float) -> Mapping[str, int]:
    return await seed(house.connection, scale=scale, cache=Path("/nowhere"), progress=lambda *_: None)


async def test_scale_1_is_a_thousand_active_investments_and_again_is_nothing_new(house: House) -> None:
    assert await load(house, 1) == {"people": 819, "investments": 1024}
    assert await house.value("SELECT count(*) FROM investment.investment WHERE status = 'ACTIVE'") == 1000
    before = {table: await house.rows(f"SELECT * FROM investment.{table} ORDER BY 1, 2") for table in TABLES}
    assert all(before.values())
    assert await load(house, 1) == {"people": 0, "investments": 0}
    assert await load(house, 0.5) == {"people": 0, "investments": 0}
    assert {table: await house.rows(f"SELECT * FROM investment.{table} ORDER BY 1, 2") for table in TABLES} == before


async def test_a_larger_scale_adds_to_a_smaller_one(house: House, server: str, template: str) -> None:
    await load(house, 1)
    small = [await house.rows(query) for query in STABLE]
    assert await load(house, 3) == {"people": 2459 - 819, "investments": 3074 - 1024}
    assert [await house.rows(query) for query in STABLE] == small


async def test_an_interrupted_load_goes_on_where_it_stopped(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeding, "BLOCKS_AT_ONCE", 1)
    await house.connection.execute("ALTER TABLE investment.investment ADD CONSTRAINT stop CHECK (id <> 5001)")
    with pytest.raises(asyncpg.CheckViolationError):
        await load(house, 6)
    assert (await house.count("app_user"), await house.count("investment")) == (4919, 5000)
    await house.connection.execute("ALTER TABLE investment.investment DROP CONSTRAINT stop")
    assert await load(house, 6) == {"people": 0, "investments": 1149}
    assert await house.value("SELECT count(*) FROM investment.investment WHERE status = 'ACTIVE'") == 6000


async def test_a_house_with_people_of_its_own_is_left_alone(house: House) -> None:
    await house.user(1)
    with pytest.raises(ValueError, match="people of its own"):
        await load(house, 1)
    assert (await house.count("app_user"), await house.count("plan")) == (1, 0)


async def test_what_is_added_by_others_afterwards_gets_ids_of_its_own(house: House) -> None:
    await load(house, 0.1)
    await house.connection.execute("INSERT INTO investment.app_user (email) VALUES ('new@example.org')")
    assert await house.value("SELECT max(id) FROM investment.app_user") == await house.count("app_user")


async def test_the_house_pays_its_people_and_its_books_agree(house: House) -> None:
    await load(house, 1)
    midnight = datetime.combine(datetime.now(INDIA).date(), datetime.min.time(), INDIA)
    run = await house.perform(daily_roi_distribution, midnight)
    assert (run.ending, run.result["parked"]) == ("succeeded", 0)
    assert run.result["investments"] > 900
    assert set(run.result["roi"]) == {"INR", "USD"}
    assert set(run.result["commission"]["INR"]) == {"1", "2", "3", "4", "5"}
    assert run.result["forfeited"] > 0
    audited = await house.perform(ledger_audit, midnight + timedelta(hours=4))
    assert audited.result == {"days": 1, "differences": {}, "told": 0}


async def test_nothing_has_been_pending_for_too_long(house: House) -> None:
    await load(house, 5)
    run = await house.perform(system_health, datetime.now(INDIA))
    assert run.result["checks"]["pending"]["value"] > 0
    assert run.result["checks"]["pending_transactions"] == {"value": 0.0, "severity": "ok"}
    assert run.result["checks"]["active_users"]["value"] >= 0
