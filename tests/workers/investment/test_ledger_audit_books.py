"""The audit over time: totals, reversals, archives, days that are looked at again; and how it tells of many rows."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.workers.investment.books import (
    CLEAN,
    DAY,
    MORNING,
    PAID_AT,
    audit,
    clean_day,
    credit,
    differences,
    found_house,
    open_day,
    pay,
    reverse,
)
from tests.workers.investment.house import House
from workers.investment.ledger_audit import ledger_audit


@pytest.fixture
async def house(url: str, connection: asyncpg.Connection) -> House:
    return await found_house(House(url, connection))


async def test_a_paid_total_that_is_not_what_was_paid_is_found(house: House) -> None:
    await clean_day(house)
    await house.connection.execute("UPDATE investment.investment SET paid_total = 11")
    assert (await audit(house))["differences"] == {"paid_total": 1}
    assert await differences(house) == [("paid_total", None, 1, "1", Decimal("10.00"), Decimal("11.00"))]


async def test_ledger_rows_missing_invented_or_of_somebody_else_are_found(house: House) -> None:
    await open_day(house)
    await pay(house)
    await house.connection.execute("ALTER TABLE investment.ledger DISABLE TRIGGER append_only")
    await house.connection.execute("DELETE FROM investment.ledger WHERE kind = 'ROI'")
    await house.connection.execute("UPDATE investment.ledger SET user_id = 1 WHERE ref = '2026-03-10:2:1'")
    await credit(house, 2, "ROI", "2026-03-10:99", "3.00")
    assert (await audit(house))["differences"] == {"wallet": 2, "roi_ledger": 2, "commission_ledger": 2}
    found = [row for row in await differences(house) if row[0].endswith("_ledger")]
    assert sorted((what, user, ref, str(expected), str(was)) for what, _, user, ref, expected, was in found) == [
        ("commission_ledger", 1, "2026-03-10:2:1", "0.00", "0.50"),
        ("commission_ledger", 3, "2026-03-10:2:1", "0.50", "0.00"),
        ("roi_ledger", 1, "2026-03-10:1", "10.00", "0.00"),
        ("roi_ledger", 2, "2026-03-10:99", "0.00", "3.00"),
    ]


async def test_a_reversed_day_agrees_and_so_does_its_second_round(house: House) -> None:
    await clean_day(house)
    await reverse(house)
    await open_day(house, state="REVERSED")
    assert await audit(house) == CLEAN
    await open_day(house, round_=2)
    await pay(house, round_=2)
    assert await audit(house, MORNING + timedelta(hours=1)) == CLEAN
    assert await house.value("SELECT sum(balance) FROM investment.wallet") == Decimal("11.50")


async def test_a_reversal_that_left_something_out_is_found(house: House) -> None:
    await clean_day(house)
    await reverse(house)
    await house.connection.execute("ALTER TABLE investment.ledger DISABLE TRIGGER append_only")
    await house.connection.execute("DELETE FROM investment.ledger WHERE ref = 'COMMISSION:2026-03-10:2:1'")
    await house.connection.execute("UPDATE investment.wallet SET balance = 0.50 WHERE user_id = 3")
    await open_day(house, state="REVERSED")
    await audit(house)
    ((what, _, user, ref, expected, was),) = await differences(house)
    assert (what, user, ref) == ("commission_ledger", 3, "COMMISSION:2026-03-10:2:1")
    assert (expected, was) == (Decimal("-0.50"), Decimal("0.00"))


async def test_a_day_that_is_being_paid_or_reversed_waits(house: House) -> None:
    await clean_day(house)
    await open_day(house, DAY + timedelta(days=1), state="PAYING")
    assert await audit(house, MORNING + timedelta(days=1)) == CLEAN
    await open_day(house, DAY + timedelta(days=1), state="REVERSING")
    asked = {"from": "2026-03-10", "until": "2026-03-11"}
    assert await audit(house, MORNING + timedelta(days=2), **asked) == CLEAN | {"days": 0}


async def test_a_day_that_differs_is_looked_at_every_night_until_it_agrees(house: House) -> None:
    await open_day(house)
    await pay(house, uplines=((2, "1.00"),))
    for night in range(2):
        assert (await audit(house, MORNING + timedelta(days=night)))["told"] == 2
    await house.insert("commission", accrual_date=DAY, level=2, investment_id=1, beneficiary_id=3, rate=Decimal("0.05"),
                       amount=Decimal("0.50"), currency="INR")  # fmt: skip
    await credit(house, 3, "COMMISSION", "2026-03-10:2:1", "0.50")
    assert await audit(house, MORNING + timedelta(days=2)) == CLEAN
    assert await audit(house, MORNING + timedelta(days=3)) == CLEAN | {"days": 0}


async def test_a_day_settled_by_hand_is_audited_again(house: House) -> None:
    await clean_day(house)
    await house.invest(2, 1, "100.00", on=date(2026, 3, 1), until=date(2026, 12, 31))
    await house.insert("parked_payout", accrual_date=DAY, investment_id=2, reason="r", run_id=1)
    assert await audit(house) == CLEAN
    await pay(house, "1.00", investment=2, uplines=((2, "0.10"), (3, "0.05")))
    await house.connection.execute(
        "UPDATE investment.parked_payout SET settled_by = 2, settled_at = $1", MORNING + timedelta(hours=5)
    )
    assert await audit(house, MORNING + timedelta(days=1)) == CLEAN


async def test_archived_investments_are_audited_like_others(house: House) -> None:
    await clean_day(house)
    await house.connection.execute(
        "INSERT INTO investment.investment_archive "
        "(id, user_id, plan_id, activated_on, last_accrual_on, principal, paid_total, currency, status, created_at) "
        "SELECT id, user_id, plan_id, activated_on, last_accrual_on, principal, paid_total, currency, status, "
        "created_at FROM investment.investment"
    )
    await house.connection.execute("DELETE FROM investment.investment")
    assert await audit(house) == CLEAN


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"from": "2026-03-10"}, 'give both "from" and "until"'),
        ({"day": "2026-03-10"}, 'give both "from" and "until"'),
        ({"from": "10.3.2026", "until": "2026-03-10"}, 'days such as "2026-03-31"'),
        ({"from": 20260310, "until": "2026-03-10"}, 'days such as "2026-03-31"'),
        ({"from": "2026-03-11", "until": "2026-03-10"}, "is before"),
    ],
)
async def test_arguments_that_say_nothing_are_refused(house: House, args: dict[str, Any], message: str) -> None:
    run = await house.perform(ledger_audit, MORNING, args=args)
    assert run.ending == "failed"
    assert message in str(run.error)


async def test_many_differences_are_all_counted_and_the_mail_stays_short(house: House) -> None:
    await house.connection.execute(
        "INSERT INTO investment.app_user (id, email) "
        "SELECT n, 'u' || n || '@example.org' FROM generate_series(100, 1599) n"
    )
    await house.connection.execute(
        "INSERT INTO investment.wallet SELECT n, 'INR', 1 FROM generate_series(100, 1599) n"
    )  # fmt: skip
    assert (await audit(house))["differences"] == {"wallet": 1500}
    assert await house.count("audit_difference") == 1000
    data = json.loads((await house.messages())[0]["data"])
    assert (len(data["rows"]), data["more"]) == (50, 1450)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.sampled_from(["DEPOSIT", "WITHDRAWAL", "ADJUST"]), st.integers(-500, 500)),
        max_size=12,
    ),
    st.dictionaries(st.integers(1, 3), st.integers(-300, 300).filter(bool), max_size=3),
)
async def test_exactly_the_wallets_that_were_tampered_with_are_found(
    house: House, booked: list[tuple[int, str, int]], tampered: dict[int, int]
) -> None:
    await house.connection.execute(
        "TRUNCATE investment.ledger, investment.wallet, investment.audit_difference, sexton.outbox, sexton.run CASCADE"
    )
    for user, kind, cents in booked:
        if cents:
            await house.book(user, kind, str(Decimal(cents) / 100), PAID_AT)
    for user, cents in tampered.items():
        await house.connection.execute(
            "INSERT INTO investment.wallet AS w VALUES ($1, 'INR', $2) ON CONFLICT (user_id, currency) "
            "DO UPDATE SET balance = w.balance + excluded.balance",
            user, Decimal(cents) / 100,
        )  # fmt: skip
    await audit(house)
    found = {user: found - expected for _, _, user, _, expected, found in await differences(house)}
    assert found == {user: Decimal(cents) / 100 for user, cents in tampered.items()}
