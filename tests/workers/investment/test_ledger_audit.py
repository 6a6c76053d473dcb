"""The audit of payouts: clean at first, and then with one thing wrong at a time."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from tests.workers.investment.books import (
    CLEAN,
    DAY,
    MORNING,
    PAID_AT,
    audit,
    clean_day,
    differences,
    found_house,
    open_day,
    pay,
)
from tests.workers.investment.house import House


@pytest.fixture
async def house(url: str, connection: asyncpg.Connection) -> House:
    return await found_house(House(url, connection))


async def test_an_empty_house_agrees(url: str, connection: asyncpg.Connection) -> None:
    assert await audit(House(url, connection)) == CLEAN | {"days": 0}


async def test_a_day_paid_as_its_rates_say_agrees_and_is_audited_once(house: House) -> None:
    await clean_day(house)
    assert await audit(house) == CLEAN
    assert await audit(house, MORNING + timedelta(days=1)) == CLEAN | {"days": 0}
    assert await house.rows("SELECT accrual_date, round FROM investment.audited_day") == [(DAY, 1)]


async def test_a_wallet_that_is_not_its_ledgers_sum_is_told_with_the_rows(house: House) -> None:
    await clean_day(house)
    await house.connection.execute("UPDATE investment.wallet SET balance = balance + 0.01 WHERE user_id = 2")
    assert await audit(house) == {"days": 1, "differences": {"wallet": 1}, "told": 2}
    assert await differences(house) == [("wallet", None, 2, None, Decimal("1.00"), Decimal("1.01"))]
    row = (await house.messages())[0]
    assert json.loads(row["data"])["rows"] == [
        {"what": "wallet", "day": "", "user": "2", "currency": "INR", "ref": "", "expected": "1.00", "found": "1.01",
         "difference": "+0.01"}
    ]  # fmt: skip
    subject, text, html = (await house.texts())[0]
    assert subject == "[critical] The books do not agree: 1 differences on 2026-03-10"
    assert "wallet, user 2: 1.01 INR, expected 1.00 (+0.01)" in text
    assert html is not None


async def test_a_wallet_without_ledger_and_a_ledger_without_wallet_are_found(house: House) -> None:
    await house.insert("wallet", user_id=1, currency="USD", balance=Decimal(5))
    await house.insert("ledger", user_id=2, kind="DEPOSIT", ref="d", amount=Decimal(7), currency="INR")
    await house.insert("ledger", user_id=3, kind="DEPOSIT", ref="v", amount=Decimal(9), currency="INR", status="VOID")
    await audit(house)
    assert await differences(house) == [
        ("wallet", None, 1, None, Decimal("0.00"), Decimal("5.00")),
        ("wallet", None, 2, None, Decimal("7.00"), Decimal("0.00")),
    ]


async def test_pending_withdrawals_are_in_the_wallet_already(house: House) -> None:
    await house.book(1, "DEPOSIT", "50.00", PAID_AT)
    await house.book(1, "WITHDRAWAL", "-20.00", PAID_AT, status="PENDING")
    assert (await audit(house))["differences"] == {}


async def test_a_payout_that_is_not_what_the_rates_say_is_found(house: House) -> None:
    await open_day(house)
    await pay(house, "10.01")
    await audit(house)
    assert await differences(house) == [("roi", DAY, 1, "1", Decimal("10.00"), Decimal("10.01"))]


@pytest.mark.parametrize(
    ("uplines", "found"),
    [
        (((2, "1.00"), (3, "0.51")), [(3, "2:1", "0.50", "0.51")]),
        (((2, "1.00"),), [(3, "2:1", "0.50", "0.00")]),
        (((3, "1.00"), (2, "0.50")), [(3, "1:1", "0.00", "1.00"), (2, "1:1", "1.00", "0.00"),
                                      (2, "2:1", "0.00", "0.50"), (3, "2:1", "0.50", "0.00")]),
        (((2, "1.00"), (3, "0.50"), (2, "0.01")), [(2, "3:1", "0.00", "0.01")]),
    ],
)  # fmt: skip
async def test_commissions_are_worked_out_again_from_the_uplines(
    house: House, uplines: tuple[tuple[int, str], ...], found: list[tuple[Any, ...]]
) -> None:
    await open_day(house)
    await pay(house, uplines=uplines)
    await audit(house)
    wrong = [(user, ref, str(expected), str(was)) for what, _, user, ref, expected, was in await differences(house)]
    assert sorted(wrong) == sorted(found)


async def test_a_commission_in_another_currency_than_its_return_is_found(house: House) -> None:
    await clean_day(house)
    await house.connection.execute("ALTER TABLE investment.commission DISABLE TRIGGER append_only")
    await house.connection.execute("UPDATE investment.commission SET currency = 'USD' WHERE level = 2")
    assert (await audit(house))["differences"] == {"commission": 2, "commission_ledger": 2}


async def test_an_upline_who_is_not_active_may_have_got_his_share_or_not(house: House) -> None:
    await open_day(house)
    await pay(house, uplines=((2, "1.00"),))
    await house.connection.execute("UPDATE investment.app_user SET status = 'SUSPENDED'")
    assert (await audit(house))["differences"] == {}
    assert (await audit(house, MORNING + timedelta(hours=1), **{"from": "2026-03-10", "until": "2026-03-10"})) == CLEAN


async def test_circles_of_uplines_end_where_they_close(house: House) -> None:
    await house.connection.execute("UPDATE investment.app_user SET referrer_id = 1 WHERE id = 3")
    await clean_day(house)
    assert await audit(house) == CLEAN


async def test_who_should_have_been_paid_and_was_not_is_found(house: House) -> None:
    await open_day(house)
    for id_ in range(2, 8):
        await house.invest(id_, 1, "100.00", on=date(2026, 3, 1), until=date(2026, 12, 31))
    await house.connection.execute("UPDATE investment.investment SET status = 'CANCELLED' WHERE id = 3")
    await house.connection.execute("UPDATE investment.investment SET activated_on = '2026-03-10' WHERE id = 4")
    await house.connection.execute("UPDATE investment.investment SET last_accrual_on = '2026-03-09' WHERE id = 5")
    await house.insert("parked_payout", accrual_date=DAY, investment_id=6, reason="r", run_id=1)
    await house.connection.execute("UPDATE investment.investment SET created_at = $1 WHERE id = 7", PAID_AT)
    await pay(house)
    await audit(house)
    assert await differences(house) == [("roi", DAY, 1, "2", Decimal("1.00"), Decimal("0.00"))]


async def test_the_cap_ends_the_payouts_to_the_cent(house: House) -> None:
    """2.5 % of 1,000.00: two days of 10.00, one of 5.00, then nothing."""
    for n, (amount, shares) in enumerate(
        [("10.00", ("1.00", "0.50")), ("10.00", ("1.00", "0.50")), ("5.00", ("0.50", "0.25"))]
    ):
        await open_day(house, DAY + timedelta(days=n))
        await pay(house, amount, DAY + timedelta(days=n), uplines=((2, shares[0]), (3, shares[1])))
    await open_day(house, DAY + timedelta(days=3))
    assert await audit(house, MORNING + timedelta(days=3)) == CLEAN | {"days": 4}


async def test_a_payout_over_the_cap_is_found(house: House) -> None:
    for n in range(3):
        await open_day(house, DAY + timedelta(days=n))
        await pay(house, "10.00", DAY + timedelta(days=n))
    await audit(house, MORNING + timedelta(days=2))
    third = DAY + timedelta(days=2)
    assert await differences(house) == [("roi", third, 1, "1", Decimal("5.00"), Decimal("10.00"))]
