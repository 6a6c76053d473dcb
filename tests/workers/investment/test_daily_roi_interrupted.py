"""Payouts that are cut off, done twice, done at once or out of order: the sums are those of one clean run."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from tests.workers.investment.payouts import DAY, INDIA, Payouts
from workers.investment.ledger_audit import ledger_audit

SINCE, UNTIL = date(2026, 3, 1), date(2026, 12, 31)
NEXT = DAY + timedelta(days=1)
# The first transactions collide; a sequence counts them, because it is not undone with them.
COLLIDE = """
CREATE SEQUENCE public.collision;
CREATE FUNCTION public.collide() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('public.collision') <= {times} THEN
        RAISE EXCEPTION 'collided' USING ERRCODE = '{code}';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER collide BEFORE INSERT ON investment.roi_distribution
    FOR EACH STATEMENT EXECUTE FUNCTION public.collide();
"""


@pytest.fixture
async def house(payouts: Payouts) -> Payouts:
    """Five investments of three people: three ranges."""
    for id_ in range(1, 6):
        await payouts.invest(id_, 1 + id_ % 3, f"{id_}000.00", on=SINCE, until=UNTIL)
    return payouts


async def succeeded(house: Payouts, *args: Any, **how: Any) -> dict[str, Any]:
    run = await house.pay(*args, **how)
    assert (run.ending, run.error) == ("succeeded", None)
    result: dict[str, Any] = run.result
    return result


async def sums(house: Payouts) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    """Of distributions, commissions, ledger and wallets."""
    wallets = await house.value("SELECT coalesce(sum(balance), 0) FROM investment.wallet")
    return (*[await house.total_of(t) for t in ("roi_distribution", "commission", "ledger")], wallets)


async def clean(house: Payouts, last: date = DAY) -> bool:
    """Whether the audit finds the books in order."""
    at = datetime.combine(last + timedelta(days=1), datetime.min.time(), INDIA) + timedelta(hours=4)
    run = await house.perform(ledger_audit, at)
    assert run.ending == "succeeded"
    return not run.result["differences"]


ONE_DAY = (Decimal("150.00"), Decimal("9.50"), Decimal("159.50"), Decimal("159.50"))


async def test_a_second_run_of_the_day_pays_nothing_and_tells_nobody(house: Payouts) -> None:
    await succeeded(house)
    before = await house.books()
    again = await succeeded(house, again=1)
    assert (again["investments"], again["commissions"], again["notified"]) == (0, 0, 0)
    assert await house.books() == before
    assert await sums(house) == ONE_DAY


async def test_two_runs_at_once_have_the_effect_of_one(house: Payouts) -> None:
    runs = await asyncio.gather(*(house.pay(again=n) for n in range(3)))
    assert [run.ending for run in runs] == ["succeeded"] * 3
    assert sum(run.result["investments"] for run in runs) == 5
    assert await sums(house) == ONE_DAY
    assert await clean(house)


@pytest.mark.parametrize("at", range(1, 6))
async def test_what_was_cut_off_goes_on_and_comes_to_the_same_sums(house: Payouts, at: int) -> None:
    await house.cut_off_at(at)
    first = await house.pay()
    assert first.ending == "failed"
    assert await house.count("roi_distribution") == (at - 1) // 2 * 2  # whole ranges of two
    assert await house.keys() == []
    await house.cut_off_at(None)
    result = await succeeded(house, resume=first.id)
    assert (result["investments"], result["notified"]) == (5, 3)  # of both tries
    assert await sums(house) == ONE_DAY
    assert await clean(house)


async def test_a_rate_or_level_that_is_changed_in_between_is_for_another_day(house: Payouts) -> None:
    await house.cut_off_at(3)
    first = await house.pay()
    await house.cut_off_at(None)
    await house.connection.execute("UPDATE investment.plan_rate SET daily_rate = 0.09, cap_ratio = 0.001")
    await house.connection.execute("UPDATE investment.commission_level SET rate = 0.5 WHERE level = 1")
    await succeeded(house, resume=first.id)
    assert await sums(house) == ONE_DAY


async def test_a_user_deleted_in_between_gets_no_more(house: Payouts) -> None:
    await house.cut_off_at(3)
    first = await house.pay()
    await house.cut_off_at(None)
    await house.connection.execute("UPDATE investment.app_user SET status = 'DELETED' WHERE id = 3")
    result = await succeeded(house, resume=first.id)
    paid = await house.rows("SELECT investment_id, user_id FROM investment.roi_distribution ORDER BY 1")
    assert paid == [(1, 2), (2, 3), (3, 1), (4, 2)]  # 5 is of user 3 as well
    assert result["forfeited"] == 2
    assert await clean(house)


@pytest.mark.parametrize("code", ["40P01", "40001"])
async def test_deadlocks_and_conflicts_cost_nothing(house: Payouts, code: str) -> None:
    await house.connection.execute(COLLIDE.format(times=3, code=code))
    assert (await succeeded(house))["investments"] == 5
    assert await sums(house) == ONE_DAY


async def test_conflicts_without_end_fail_the_run(house: Payouts) -> None:
    await house.connection.execute(COLLIDE.format(times=1000, code="40P01"))
    run = await house.pay()
    assert (run.ending, "DeadlockDetected" in str(run.error)) == ("failed", True)
    assert await house.count("roi_distribution") == 0


async def test_a_withdrawal_at_the_same_time_is_neither_lost_nor_doubled(house: Payouts, url: str) -> None:
    await house.book(1, "DEPOSIT", "100.00", datetime(2026, 3, 1, tzinfo=INDIA))
    other = await asyncpg.connect(url)
    withdrawal = other.transaction()
    await withdrawal.start()
    await other.execute("UPDATE investment.wallet SET balance = balance - 40 WHERE user_id = 1")
    await other.execute("INSERT INTO investment.ledger (ref, kind, user_id, amount, currency) "
                        "VALUES ('w', 'WITHDRAWAL', 1, -40, 'INR')")  # fmt: skip
    payout = asyncio.ensure_future(house.pay())
    while not await house.value("SELECT count(*) FROM pg_locks WHERE NOT granted"):
        assert not payout.done()
        await asyncio.sleep(0)
    await withdrawal.commit()
    await other.close()
    assert (await payout).ending == "succeeded"
    assert await house.value("SELECT balance FROM investment.wallet WHERE user_id = 1") == Decimal("90.00")
    assert await clean(house)


async def test_a_missed_day_is_paid_though_a_later_one_was_the_last(house: Payouts) -> None:
    """An operator waived the failed day, and the next one has completed the investment since."""
    await house.connection.execute("UPDATE investment.investment SET last_accrual_on = $1", NEXT)
    await house.cut_off_at(1)
    missed = await house.pay()
    await house.cut_off_at(None)
    await house.connection.execute("UPDATE sexton.run SET waived_by = 'ada' WHERE id = $1", missed.id)
    assert (await succeeded(house, NEXT))["completed"] == 5
    assert (await succeeded(house, resume=missed.id))["investments"] == 5
    assert await sums(house) == tuple(2 * amount for amount in ONE_DAY)
    assert await clean(house, NEXT)


async def test_nothing_is_completed_while_an_earlier_day_is_open(house: Payouts) -> None:
    await house.connection.execute("UPDATE investment.investment SET last_accrual_on = $1 WHERE id < 3", NEXT)
    await house.cut_off_at(1)
    missed = await house.pay()
    await house.cut_off_at(None)
    assert (await succeeded(house, NEXT))["completed"] is None
    assert await house.value("SELECT count(*) FROM investment.investment WHERE status = 'COMPLETED'") == 0
    await succeeded(house, resume=missed.id)
    assert (await succeeded(house, NEXT + timedelta(days=1)))["completed"] == 2


async def test_a_day_made_up_for_after_its_messages_were_purged_writes_to_nobody_again(house: Payouts) -> None:
    await succeeded(house)
    await house.connection.execute(
        "INSERT INTO sexton.outbox_key (hash) SELECT sha256(convert_to(dedupe_key, 'UTF8')) FROM sexton.outbox"
    )
    await house.connection.execute("DELETE FROM sexton.outbox")
    assert (await succeeded(house, again=1))["notified"] == 0
    assert await house.keys() == []


async def test_who_was_paid_by_a_run_that_never_ended_is_written_to_by_the_next(house: Payouts) -> None:
    await house.cut_off_at(5)
    await house.pay()
    await house.cut_off_at(None)
    result = await succeeded(house, again=1)
    assert (result["investments"], result["notified"]) == (1, 3)
