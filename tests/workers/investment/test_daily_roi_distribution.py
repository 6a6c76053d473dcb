"""Who is paid how much for a day, and who gets a share of it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from tests.workers.investment.house import LONG_AGO
from tests.workers.investment.payouts import DAY, Payouts

SINCE, UNTIL = date(2026, 3, 1), date(2026, 12, 31)
NOBODY = {
    "day": DAY, "round": 1, "investments": 0, "roi": {}, "commissions": 0, "commission": {}, "forfeited": 0,
    "parked": 0, "notified": 0, "completed": 0,
}  # fmt: skip


async def paid(house: Payouts, day: date = DAY, **how: Any) -> dict[str, Any]:
    run = await house.pay(day, **how)
    assert (run.ending, run.error) == ("succeeded", None)
    result: dict[str, Any] = run.result
    return result


async def wallets(house: Payouts) -> dict[tuple[int, str], str]:
    rows = await house.rows("SELECT user_id, currency, balance FROM investment.wallet ORDER BY 1, 2")
    return {(user, currency): str(balance) for user, currency, balance in rows}


async def amounts(house: Payouts) -> dict[int, str]:
    """By investment what it was paid in all."""
    rows = await house.rows("SELECT id, paid_total FROM investment.investment ORDER BY id")
    return {id_: str(amount) for id_, amount in rows}


async def test_an_empty_house_pays_nobody_and_closes_the_day(url: str, connection: asyncpg.Connection) -> None:
    house = await Payouts(url, connection).cleared()
    assert await paid(house) == NOBODY
    assert await house.rows("SELECT accrual_date, round, state FROM investment.accrual_day") == [(DAY, 1, "PAID")]


async def test_a_return_its_commissions_ledger_and_wallets_come_together(payouts: Payouts) -> None:
    await payouts.invest(1, 1, "1000.00", on=SINCE, until=UNTIL)
    assert await paid(payouts) == NOBODY | {
        "investments": 1, "roi": {"INR": Decimal("10.00")}, "commissions": 2,
        "commission": {"INR": {"1": Decimal("1.00"), "2": Decimal("0.50")}}, "notified": 3,
    }  # fmt: skip
    assert await wallets(payouts) == {(1, "INR"): "10.00", (2, "INR"): "1.00", (3, "INR"): "0.50"}
    assert await payouts.rows("SELECT kind::text, ref, user_id, amount FROM investment.ledger ORDER BY 1, 2") == [
        ("COMMISSION", "2026-03-10:1:1", 2, Decimal("1.00")),
        ("COMMISSION", "2026-03-10:2:1", 3, Decimal("0.50")),
        ("ROI", "2026-03-10:1", 1, Decimal("10.00")),
    ]


@pytest.mark.parametrize(
    ("principal", "rate", "amount"),
    [
        ("0.50", "0.01", "0.01"),  # 0.005 is half a cent: up
        ("0.49", "0.01", None),  # 0.0049: nothing, and no row
        ("2.50", "0.01", "0.03"),  # 0.025 is up too, which to the even cent would be down
        ("1000.00", "0.000001", None),
        ("5000.00", "0.000001", "0.01"),
        ("9999999999999999.99", "0.000001", "10000000000.00"),
    ],
)
async def test_half_a_cent_is_rounded_up(payouts: Payouts, principal: str, rate: str, amount: str | None) -> None:
    await payouts.plan(2, rate=rate)
    await payouts.invest(1, 3, principal, on=SINCE, until=UNTIL, plan=2)
    await paid(payouts)
    rows = await payouts.rows("SELECT amount FROM investment.roi_distribution")
    assert rows == ([] if amount is None else [(Decimal(amount),)])


async def test_shares_are_rounded_each_and_those_of_nothing_have_no_row(payouts: Payouts) -> None:
    await payouts.invest(1, 1, "5.00", on=SINCE, until=UNTIL)  # 0.05: shares of 0.005 and 0.0025
    await paid(payouts)
    assert await payouts.rows("SELECT level, amount FROM investment.commission") == [(1, Decimal("0.01"))]


async def test_paid_from_the_day_after_activation_to_the_last_day_and_on_no_other(payouts: Payouts) -> None:
    await payouts.invest(1, 3, on=DAY, until=DAY + timedelta(days=2))
    days = [DAY + timedelta(days=n) for n in range(-1, 4)]
    assert [(await paid(payouts, day))["investments"] for day in days] == [0, 0, 1, 1, 0]
    assert await payouts.rows("SELECT status FROM investment.investment") == [("COMPLETED",)]


async def test_the_last_day_completes_the_investment(payouts: Payouts) -> None:
    await payouts.invest(1, 3, on=SINCE, until=DAY)
    await payouts.invest(2, 3, on=SINCE, until=DAY + timedelta(days=1))
    assert (await paid(payouts))["completed"] == 1
    assert await payouts.rows("SELECT id FROM investment.investment WHERE status = 'COMPLETED'") == [(1,)]


async def test_29_february_is_a_day_like_any_other(payouts: Payouts) -> None:
    await payouts.invest(1, 3, on=date(2028, 2, 27), until=date(2028, 3, 1))
    for day in (date(2028, 2, 28), date(2028, 2, 29), date(2028, 3, 1)):
        assert (await paid(payouts, day))["investments"] == 1
    assert await amounts(payouts) == {1: "30.00"}


async def test_the_cap_is_reached_to_the_cent_and_ends_it(payouts: Payouts) -> None:
    await payouts.plan(2, rate="0.01", cap="0.025")
    await payouts.invest(1, 3, on=SINCE, until=UNTIL, plan=2)
    results = [await paid(payouts, DAY + timedelta(days=n)) for n in range(4)]
    assert [r["roi"].get("INR") for r in results] == [Decimal("10.00"), Decimal("10.00"), Decimal("5.00"), None]
    assert [r["completed"] for r in results] == [0, 0, 1, 0]


@pytest.mark.parametrize("status", ["PENDING", "CANCELLED"])
async def test_what_is_not_active_earns_nothing(payouts: Payouts, status: str) -> None:
    await payouts.invest(1, 1, on=SINCE, until=UNTIL, status=status)
    assert await paid(payouts) == NOBODY


@pytest.mark.parametrize("principal", ["0.00", "-5.00"])
async def test_a_principal_of_nothing_or_less_is_refused_by_the_table(payouts: Payouts, principal: str) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match="principal"):
        await payouts.invest(1, 1, principal, on=SINCE, until=UNTIL)


async def test_a_plan_that_does_not_exist_is_refused_by_the_table(payouts: Payouts) -> None:
    with pytest.raises(asyncpg.ForeignKeyViolationError, match="plan"):
        await payouts.invest(1, 1, on=SINCE, until=UNTIL, plan=77)


async def test_currencies_have_wallets_of_their_own_and_are_never_mixed(payouts: Payouts) -> None:
    await payouts.invest(1, 1, on=SINCE, until=UNTIL)
    await payouts.invest(2, 1, "300.00", on=SINCE, until=UNTIL, currency="USD")
    result = await paid(payouts)
    assert result["roi"] == {"INR": Decimal("10.00"), "USD": Decimal("3.00")}
    assert result["commission"]["USD"] == {"1": Decimal("0.30"), "2": Decimal("0.15")}
    assert await wallets(payouts) == {
        (1, "INR"): "10.00", (1, "USD"): "3.00", (2, "INR"): "1.00", (2, "USD"): "0.30", (3, "INR"): "0.50",
        (3, "USD"): "0.15",
    }  # fmt: skip


async def test_each_person_has_one_message_a_day_whatever_was_earned(payouts: Payouts) -> None:
    for id_ in range(1, 6):
        await payouts.invest(id_, 1 + id_ % 3, on=SINCE, until=UNTIL)
    assert (await paid(payouts))["notified"] == 3
    assert sorted(await payouts.keys()) == [f"roi:2026-03-10:{user}" for user in (1, 2, 3)]
    assert {row["kind"] for row in await payouts.messages()} == {"transactional"}


async def test_nobody_is_written_to_where_that_is_switched_off(payouts: Payouts) -> None:
    await payouts.invest(1, 1, on=SINCE, until=UNTIL)
    assert (await paid(payouts, notify_investors=False))["notified"] == 0
    assert await payouts.keys() == []


async def test_who_is_suspended_earns_nothing_and_is_not_paid_afterwards(payouts: Payouts) -> None:
    await payouts.invest(1, 1, on=SINCE, until=UNTIL)
    await payouts.connection.execute("UPDATE investment.app_user SET status = 'SUSPENDED' WHERE id = 1")
    assert await paid(payouts) == NOBODY
    await payouts.connection.execute("UPDATE investment.app_user SET status = 'ACTIVE' WHERE id = 1")
    await paid(payouts, DAY + timedelta(days=1))
    assert await amounts(payouts) == {1: "10.00"}


async def test_the_suspended_earn_where_an_operator_says_so(payouts: Payouts) -> None:
    await payouts.invest(1, 1, on=SINCE, until=UNTIL)
    await payouts.connection.execute("UPDATE investment.app_user SET status = 'SUSPENDED' WHERE id = 1")
    assert (await paid(payouts, pay_suspended=True))["investments"] == 1


@pytest.mark.parametrize("status", ["SUSPENDED", "DELETED"])
async def test_an_upline_who_is_not_active_forfeits_and_nobody_moves_up(payouts: Payouts, status: str) -> None:
    await payouts.invest(1, 1, on=SINCE, until=UNTIL)
    await payouts.connection.execute("UPDATE investment.app_user SET status = $1 WHERE id = 2", status)
    result = await paid(payouts)
    assert (result["commissions"], result["forfeited"]) == (1, 1)
    assert await wallets(payouts) == {(1, "INR"): "10.00", (3, "INR"): "0.50"}


async def test_five_levels_are_paid_and_a_sixth_is_not(payouts: Payouts) -> None:
    await payouts.connection.execute("DELETE FROM investment.commission_level")
    await payouts.levels("0.10", "0.05", "0.03", "0.02", "0.01")
    for id_ in range(14, 9, -1):  # 10 by 11 by 12 by 13 by 14 by 1 by 2 by 3
        await payouts.user(id_, referrer=1 if id_ == 14 else id_ + 1)
    await payouts.invest(1, 10, on=SINCE, until=UNTIL)
    result = await paid(payouts)
    assert [str(amount) for amount in result["commission"]["INR"].values()] == ["1.00", "0.50", "0.30", "0.20", "0.10"]
    assert [user for user, _ in await wallets(payouts)] == [1, 10, 11, 12, 13, 14]


async def test_a_circle_of_uplines_ends_where_it_closes(payouts: Payouts) -> None:
    await payouts.connection.execute("DELETE FROM investment.commission_level")
    await payouts.levels("0.10", "0.05", "0.03", "0.02", "0.01")
    await payouts.connection.execute("UPDATE investment.app_user SET referrer_id = 1 WHERE id = 3")
    await payouts.invest(1, 1, on=SINCE, until=UNTIL)
    assert (await paid(payouts))["commissions"] == 2
    assert await wallets(payouts) == {(1, "INR"): "10.00", (2, "INR"): "1.00", (3, "INR"): "0.50"}


async def test_nobody_can_be_his_own_upline_nor_be_referred_by_who_is_not_there(payouts: Payouts) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await payouts.user(9, referrer=9)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await payouts.user(9, referrer=99)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await payouts.connection.execute("DELETE FROM investment.app_user WHERE id = 2")


async def test_a_chain_of_ten_thousand_pays_the_nearest_five(payouts: Payouts) -> None:
    await payouts.connection.execute("DELETE FROM investment.commission_level")
    await payouts.levels("0.10", "0.05", "0.03", "0.02", "0.01")
    await payouts.connection.execute(
        "INSERT INTO investment.app_user (id, email, referrer_id) SELECT n, 'c' || n || '@example.org', "
        "nullif(n - 1, 99) FROM generate_series(100, 10099) n"
    )
    await payouts.invest(1, 10_099, on=SINCE, until=UNTIL)
    await payouts.invest(2, 100, on=SINCE, until=UNTIL)
    assert (await paid(payouts))["commissions"] == 5
    assert [user for user, _ in await wallets(payouts)] == [100, *range(10_094, 10_100)]


async def test_a_wallet_is_opened_by_the_first_payout_and_added_to_by_the_next(payouts: Payouts) -> None:
    await payouts.invest(1, 3, on=SINCE, until=UNTIL)
    await payouts.book(2, "DEPOSIT", "7.00", LONG_AGO)
    await payouts.invest(2, 2, on=SINCE, until=UNTIL)
    await paid(payouts)
    await paid(payouts, DAY + timedelta(days=1))
    assert await wallets(payouts) == {(2, "INR"): "27.00", (3, "INR"): "22.00"}


async def test_a_rate_is_of_its_days_however_late_the_day_is_paid(payouts: Payouts) -> None:
    await payouts.invest(1, 3, on=SINCE, until=UNTIL)
    await payouts.connection.execute("UPDATE investment.plan_rate SET valid = '[2000-01-01,2026-03-11)'")
    await payouts.connection.execute("INSERT INTO investment.plan_rate VALUES (1, '[2026-03-11,)', 0.02)")
    await paid(payouts)
    await paid(payouts, DAY + timedelta(days=1))
    assert await payouts.rows("SELECT rate, amount FROM investment.roi_distribution ORDER BY accrual_date") == [
        (Decimal("0.010000"), Decimal("10.00")), (Decimal("0.020000"), Decimal("20.00")),
    ]  # fmt: skip


async def test_two_rates_of_a_plan_for_one_day_are_refused_by_the_table(payouts: Payouts) -> None:
    with pytest.raises(asyncpg.ExclusionViolationError, match="one_rate_a_day"):
        await payouts.connection.execute("INSERT INTO investment.plan_rate VALUES (1, '[2026-03-11,)', 0.02)")


async def test_levels_of_over_the_whole_return_are_refused_when_they_are_committed(payouts: Payouts) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match=r"115\.0000 % from 2026-05-01"):
        await payouts.connection.execute("INSERT INTO investment.commission_level VALUES (3, '[2026-05-01,)', 1)")
    async with payouts.connection.transaction():  # too much on the way is not too much in the end
        await payouts.connection.execute("INSERT INTO investment.commission_level VALUES (3, '[2026-05-01,)', 0.9)")
        await payouts.connection.execute("UPDATE investment.commission_level SET rate = 0.05 WHERE level = 1")
    assert await payouts.value("SELECT sum(rate) FROM investment.commission_level") == Decimal("1.000000")


async def test_levels_that_got_past_the_table_stop_the_run_before_anything_is_paid(payouts: Payouts) -> None:
    await payouts.invest(1, 1, on=SINCE, until=UNTIL)
    await payouts.connection.execute("ALTER TABLE investment.commission_level DISABLE TRIGGER at_most_the_return")
    await payouts.connection.execute("UPDATE investment.commission_level SET rate = 0.96 WHERE level = 2")
    run = await payouts.pay()
    assert run.ending == "failed"
    assert "commission_level pays out 106.0000 % of the return on 2026-03-10" in str(run.error)
    assert await payouts.count("accrual_day") == await payouts.count("ledger") == 0


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("roi_distribution", "UPDATE investment.roi_distribution SET amount = 1"),
        ("commission", "DELETE FROM investment.commission"),
        ("ledger", "UPDATE investment.ledger SET amount = amount + 1"),
        ("ledger", "DELETE FROM investment.ledger"),
    ],
)
async def test_what_was_paid_cannot_be_edited(payouts: Payouts, table: str, change: str) -> None:
    await payouts.invest(1, 1, on=SINCE, until=UNTIL)
    await paid(payouts)
    with pytest.raises(asyncpg.RestrictViolationError, match=f"{table}: .* payout_reversal"):
        await payouts.connection.execute(change)


@pytest.mark.parametrize("email", ["a@b\nBcc: c@d", "a b@c", "a@b, c@d@e", "no-at", "a@b\r\n"])
async def test_an_address_that_would_add_to_the_head_of_a_mail_is_refused_by_the_table(
    payouts: Payouts, email: str
) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match="email"):
        await payouts.user(9, email=email)
