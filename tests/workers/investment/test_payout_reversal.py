"""A wrong day is undone by opposite entries, and may be paid anew; nothing is deleted."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.workers.investment.payouts import DAY, Payouts
from workers.investment.data_cleanup import data_cleanup
from workers.investment.ledger_audit import ledger_audit
from workers.investment.payout_reversal import payout_reversal

SINCE, UNTIL = date(2026, 3, 1), date(2026, 12, 31)
NEXT_YEAR = datetime(2027, 6, 1, 4, tzinfo=ZoneInfo("Asia/Kolkata"))


@pytest.fixture
async def house(payouts: Payouts) -> Payouts:
    """Five investments of 1, all paid for the day."""
    for id_ in range(1, 6):
        await payouts.invest(id_, 1, on=SINCE, until=UNTIL)
    assert (await payouts.pay()).ending == "succeeded"
    return payouts


async def reversed_(house: Payouts, *args: Any, **how: Any) -> dict[str, Any]:
    run = await house.reverse(*args, **how)
    assert (run.ending, run.error) == ("succeeded", None)
    result: dict[str, Any] = run.result
    return result


async def refused(house: Payouts, **args: Any) -> str:
    run = await house.perform(payout_reversal, datetime(2027, 1, 2, tzinfo=UTC), args=args)
    assert run.ending == "failed"
    return str(run.error)


async def state(house: Payouts) -> tuple[Any, ...]:
    (row,) = await house.rows("SELECT round, state FROM investment.accrual_day WHERE accrual_date = $1", DAY)
    return row


async def clean(house: Payouts) -> bool:
    at = NEXT_YEAR + timedelta(seconds=await house.value("SELECT count(*) FROM sexton.run"))
    run = await house.perform(ledger_audit, at, args={"from": str(DAY), "until": str(DAY)})
    assert run.ending == "succeeded"
    return not run.result["differences"]


async def test_every_entry_has_its_opposite_under_its_own_key_and_all_is_as_before(house: Payouts) -> None:
    assert await reversed_(house) == {
        "day": DAY, "round": 1, "entries": 15, "roi": {"INR": Decimal("50.00")}, "commission": {"INR": Decimal("7.50")},
    }  # fmt: skip
    assert await house.total_of("ledger") == 0
    assert await house.value("SELECT count(*) FROM investment.wallet WHERE balance <> 0") == 0
    assert await house.value("SELECT sum(paid_total) FROM investment.investment") == 0
    unpaired = """SELECT count(*) FROM investment.ledger p FULL JOIN investment.ledger u
        ON u.kind = 'ADJUST' AND u.ref = p.kind || ':' || p.ref AND u.amount = -p.amount AND u.user_id = p.user_id
        WHERE p.kind IN ('ROI', 'COMMISSION') AND u.ref IS NULL"""
    assert await house.value(unpaired) == 0
    assert (await house.count("ledger"), await house.count("roi_distribution"), await state(house)) == (
        30, 5, (1, "REVERSED"),
    )  # fmt: skip
    assert await clean(house)


async def test_it_may_be_paid_anew_by_other_rates_as_the_next_round(house: Payouts) -> None:
    await reversed_(house)
    await house.connection.execute("UPDATE investment.plan_rate SET daily_rate = 0.02")
    run = await house.pay(again=1)
    assert (run.result["round"], run.result["roi"]) == (2, {"INR": Decimal("100.00")})
    assert await house.value("SELECT sum(balance) FROM investment.wallet") == Decimal("115.00")
    assert await house.value("SELECT count(*) FROM investment.ledger WHERE ref LIKE '2026-03-10/2:%'") == 15
    assert f"roi:{DAY}/2:1" in await house.keys()
    assert await clean(house)
    assert (await reversed_(house, at=1))["round"] == 2
    assert await house.total_of("ledger") == 0
    assert await clean(house)


async def test_a_second_reversal_is_refused_and_names_the_first(house: Payouts) -> None:
    await reversed_(house)
    error = await refused(house, day=str(DAY))
    assert "2026-03-10 cannot be reversed: run 2 has reversed it already" in error
    assert await house.count("ledger") == 30


async def test_what_was_spent_meanwhile_is_owed(house: Payouts) -> None:
    await house.book(1, "WITHDRAWAL", "-45.00", datetime(2026, 3, 11, tzinfo=UTC))
    await reversed_(house)
    assert await house.value("SELECT balance FROM investment.wallet WHERE user_id = 1") == Decimal("-45.00")
    assert await clean(house)


async def test_other_days_stay_as_they_are(house: Payouts) -> None:
    await house.pay(DAY + timedelta(days=1))
    await reversed_(house)
    assert await house.value("SELECT sum(paid_total) FROM investment.investment") == Decimal("50.00")
    assert await house.value("SELECT sum(balance) FROM investment.wallet") == Decimal("57.50")


async def test_what_the_day_completed_is_open_again_and_paid_again(house: Payouts) -> None:
    await house.connection.execute("UPDATE investment.investment SET last_accrual_on = $1", DAY + timedelta(days=1))
    assert (await house.pay(DAY + timedelta(days=1))).result["completed"] == 5
    await reversed_(house)
    assert await house.rows("SELECT DISTINCT status FROM investment.investment") == [("ACTIVE",)]
    assert (await house.pay(again=1)).result["investments"] == 5
    assert (await house.pay(DAY + timedelta(days=2))).result["completed"] == 5
    assert await clean(house)


async def test_what_was_archived_since_comes_back_and_is_paid_again(house: Payouts) -> None:
    await house.connection.execute("UPDATE investment.investment SET last_accrual_on = $1", DAY + timedelta(days=1))
    await house.pay(DAY + timedelta(days=1))
    assert (await house.perform(data_cleanup, NEXT_YEAR)).result["completed_investments"] == 5
    await reversed_(house)
    assert (await house.count("investment"), await house.count("investment_archive")) == (5, 0)
    assert await house.value("SELECT sum(paid_total) FROM investment.investment") == Decimal("50.00")
    assert (await house.pay(again=1)).result["investments"] == 5
    assert await clean(house)


@pytest.mark.parametrize("at", range(1, 6))
async def test_a_reversal_that_is_cut_off_goes_on_and_undoes_each_entry_once(house: Payouts, at: int) -> None:
    await house.connection.execute(
        f"ALTER TABLE investment.ledger ADD CONSTRAINT stop CHECK (ref <> 'ROI:{DAY}:{at}') NOT VALID"
    )
    first = await house.reverse()
    assert (first.ending, await state(house)) == ("failed", (1, "REVERSING"))
    assert await house.value("SELECT count(*) FROM investment.ledger WHERE kind = 'ADJUST'") == (at - 1) // 2 * 6
    await house.connection.execute("ALTER TABLE investment.ledger DROP CONSTRAINT stop")
    assert (await reversed_(house, resume=first.id))["entries"] == 15
    assert await house.total_of("ledger") == 0
    assert await clean(house)


async def test_another_run_may_end_what_a_failed_one_began(house: Payouts) -> None:
    await house.connection.execute(
        f"ALTER TABLE investment.ledger ADD CONSTRAINT stop CHECK (ref <> 'ROI:{DAY}:4') NOT VALID"
    )
    first = await house.reverse()
    await house.connection.execute("ALTER TABLE investment.ledger DROP CONSTRAINT stop")
    assert (await reversed_(house, at=1))["entries"] == 15
    assert await house.total_of("ledger") == 0
    assert (await house.pay(again=1)).result["round"] == 2
    late = await house.reverse(resume=first.id)
    assert "2026-03-10 is not this run's to reverse any more: see run 4" in str(late.error)
    assert await state(house) == (2, "PAID")
    assert await clean(house)


async def test_a_day_under_reversal_is_not_paid(house: Payouts) -> None:
    await house.connection.execute("UPDATE investment.accrual_day SET state = 'REVERSING'")
    run = await house.pay(again=1)
    assert "2026-03-10 is being reversed: let payout_reversal finish, then pay it again" in str(run.error)


async def test_a_payout_that_was_cut_off_does_not_go_on_once_its_day_was_reversed(payouts: Payouts) -> None:
    """It would pay its rest into the reversed round, and those people again in the next."""
    for id_ in range(1, 6):
        await payouts.invest(id_, 1, on=SINCE, until=UNTIL)
    await payouts.cut_off_at(3)
    cut = await payouts.pay()
    await payouts.cut_off_at(None)
    assert "run 1 is not done with it: let it end, or waive it" in str((await payouts.reverse()).error)
    await payouts.connection.execute("UPDATE sexton.run SET state = 'failed' WHERE id = 1")
    assert (await reversed_(payouts, at=1))["entries"] == 6
    late = await payouts.pay(resume=cut.id)
    assert (late.ending, "2026-03-10 was reversed by run 3" in str(late.error)) == ("failed", True)
    assert await payouts.total_of("ledger") == 0
    anew = await payouts.pay(again=1)
    assert (anew.result["round"], anew.result["investments"]) == (2, 5)
    assert (await payouts.pay(resume=cut.id)).result["investments"] == 0
    assert await payouts.value("SELECT sum(balance) FROM investment.wallet") == Decimal("57.50")
    assert await clean(payouts)


async def test_a_day_that_is_being_paid_is_refused(house: Payouts) -> None:
    await house.connection.execute("UPDATE investment.accrual_day SET state = 'PAYING'")
    await house.connection.execute("UPDATE sexton.run SET state = 'ready' WHERE id = 1")
    assert "run 1 is not done with it: let it end, or waive it" in await refused(house, day=str(DAY))


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({}, "give the day to reverse"),
        ({"day": "2026-03-10", "why": "x"}, "give the day to reverse"),
        ({"day": 20260310}, "give the day to reverse"),
        ({"day": "10.3.2026"}, "write it like 2026-03-10"),
        ({"day": "2026-02-30"}, "write it like 2026-03-10"),
        ({"day": "2026-03-09"}, "nothing was paid for it"),
    ],
)
async def test_what_cannot_be_reversed_is_refused(house: Payouts, args: dict[str, Any], message: str) -> None:
    assert message in await refused(house, **args)
    assert await house.value("SELECT count(*) FROM investment.ledger WHERE kind = 'ADJUST'") == 0


async def test_a_day_of_which_nothing_was_paid_is_reversed_to_nothing(payouts: Payouts) -> None:
    await payouts.pay()
    assert (await reversed_(payouts))["entries"] == 0
    assert (await payouts.pay(again=1)).result["round"] == 2
