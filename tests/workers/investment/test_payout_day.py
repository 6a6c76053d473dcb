"""A day before it is paid: held when it comes to too much, released by a person, and tried without paying."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.daemon.cli.console import Console
from tests.workers.investment.payouts import DAY, Payouts

SINCE, UNTIL = date(2026, 3, 1), date(2026, 12, 31)
THEN = DAY + timedelta(days=3)
NOTHING_MORE = {"investments": 0, "roi": {}, "commissions": 0, "commission": {}, "forfeited": 0}


@pytest.fixture
async def house(payouts: Payouts) -> Payouts:
    """Three days of 10.00 INR and 5.00 USD have been paid."""
    await payouts.invest(1, 1, on=SINCE, until=UNTIL)
    await payouts.invest(2, 3, "500.00", on=SINCE, until=UNTIL, currency="USD")
    for n in range(3):
        assert (await payouts.pay(DAY + timedelta(days=n))).ending == "succeeded"
    return payouts


async def reason(house: Payouts, run: int) -> str:
    text: str = await house.value("SELECT reason FROM sexton.run WHERE id = $1", run)
    return text


async def test_a_day_of_over_twice_the_usual_is_held_before_anything_is_paid(house: Payouts) -> None:
    before = await house.books()
    await house.invest(3, 1, "1000.01", on=SINCE, until=UNTIL)  # 10.00 more: exactly twice
    assert (await house.pay(THEN)).ending == "succeeded"
    await house.reverse(THEN)
    await house.invest(4, 1, "1.00", on=SINCE, until=UNTIL)
    run = await house.pay(THEN, again=1)
    assert run.ending == "held"
    assert await reason(house, run.id) == (
        "2026-03-13 is not paid yet: 20.01 INR is more than 2 times the usual 10.00 of 3 days"
    )
    assert await house.rows("SELECT round, state FROM investment.accrual_day WHERE accrual_date = $1", THEN) == [
        (1, "REVERSED")
    ]
    assert {key: rows for key, rows in (await house.books())["distributions"].items() if key[0] < THEN} == (
        before["distributions"]
    )


async def test_a_released_day_is_paid_as_it_is(house: Payouts) -> None:
    await house.invest(3, 1, "90000.00", on=SINCE, until=UNTIL)
    run = await house.pay(THEN)
    assert (run.ending, await house.count("accrual_day")) == ("held", 3)
    released = await house.pay(THEN, resume=run.id)
    assert (released.ending, released.result["roi"]["INR"]) == ("succeeded", Decimal("910.00"))


async def test_whoever_waits_for_a_day_that_is_held_is_told_so_and_how_to_go_on(
    house: Payouts, sexton: Console
) -> None:
    await house.invest(3, 1, "90000.00", on=SINCE, until=UNTIL)
    due = f"{THEN + timedelta(days=1)}T00:00"
    done = await sexton.process("run-job", "daily-roi-distribution", "--due-at", due, "--reason", "x", "--wait")
    run = int(done.out)
    assert done.status == 1
    assert (
        f"run {run} is held: 2026-03-13 is not paid yet: 910.00 INR is more than 2 times the usual 10.00 of 3 days; "
        f"decide: sexton release {run}, or sexton waive {run}\n"
    ) in done.err


async def test_a_release_allows_the_total_that_was_told_and_no_more(house: Payouts) -> None:
    await house.invest(3, 1, "90000.00", on=SINCE, until=UNTIL)
    run = await house.pay(THEN)
    assert "910.00 INR is more than" in await reason(house, run.id)
    await house.invest(4, 1, "1.00", on=SINCE, until=UNTIL)
    again = await house.pay(THEN, resume=run.id)
    assert (again.ending, await house.count("accrual_day")) == ("held", 3)
    assert "910.01 INR is more than" in await reason(house, run.id)
    released = await house.pay(THEN, resume=run.id)
    assert (released.ending, released.result["roi"]["INR"]) == ("succeeded", Decimal("910.01"))


async def test_a_held_day_that_was_put_right_is_paid_right(house: Payouts) -> None:
    """Somebody had entered a rate with a digit too many; the held run has not kept it."""
    await house.connection.execute("UPDATE investment.plan_rate SET daily_rate = 0.1")
    run = await house.pay(THEN)
    assert run.ending == "held"
    assert "100.00 INR is more than 2 times" in await reason(house, run.id)
    await house.connection.execute("UPDATE investment.plan_rate SET daily_rate = 0.01")
    assert (await house.pay(THEN, resume=run.id)).result["roi"] == {"INR": Decimal("10.00"), "USD": Decimal("5.00")}


async def test_one_currency_alone_holds_the_day(house: Payouts) -> None:
    await house.invest(3, 1, "501.00", on=SINCE, until=UNTIL, currency="USD")
    run = await house.pay(THEN)
    assert await reason(house, run.id) == (
        "2026-03-13 is not paid yet: 10.01 USD is more than 2 times the usual 5.00 of 3 days"
    )


@pytest.mark.parametrize(("factor", "ending"), [("3", "succeeded"), ("2.9", "held")])
async def test_the_factor_is_the_operators(house: Payouts, factor: str, ending: str) -> None:
    await house.invest(3, 1, "2000.00", on=SINCE, until=UNTIL)
    assert (await house.pay(THEN, control_total_factor=factor)).ending == ending


async def test_only_the_last_days_are_compared_with(house: Payouts) -> None:
    await house.invest(3, 1, "1000.00", on=SINCE, until=UNTIL)
    for n in range(3):
        assert (await house.pay(THEN + timedelta(days=n))).ending == "succeeded"
    await house.invest(4, 1, "1500.00", on=SINCE, until=UNTIL)  # 35.00 against 20.00, or against 10.00 and 20.00
    assert (await house.pay(THEN + timedelta(days=3), control_total_days=6)).ending == "held"
    assert (await house.pay(THEN + timedelta(days=4), control_total_days=3)).ending == "succeeded"


async def test_reversed_days_are_not_compared_with(house: Payouts) -> None:
    for n in range(3):
        await house.reverse(DAY + timedelta(days=n), at=n)
    await house.invest(3, 1, "90000.00", on=SINCE, until=UNTIL)
    assert (await house.pay(THEN)).ending == "succeeded"


async def tried(sexton: Console, day: date, *more: str) -> dict[str, Any]:
    due = f"{day + timedelta(days=1)}T00:00"
    done = await sexton.beside("run-job", "daily-roi-distribution", "--dry-run", "--due-at", due, *more)
    assert "nothing was done" in done.ok().err
    answer: dict[str, Any] = done.json
    return answer


async def test_a_dry_run_says_to_the_cent_what_the_run_then_pays(house: Payouts, sexton: Console) -> None:
    await house.user(4, referrer=1)
    await house.connection.execute("UPDATE investment.app_user SET status = 'SUSPENDED' WHERE id = 2")
    await house.invest(3, 4, "123.45", on=SINCE, until=UNTIL)
    before = await house.books()
    answer = await tried(sexton, THEN)
    assert (answer["state"], answer["without_rate"], answer["would_be_held"]) == (None, 0, None)
    assert await house.books() == before
    assert await house.count("accrual_day") == 3
    run = await house.pay(THEN)
    paid = json.loads(await house.value("SELECT result FROM sexton.run WHERE id = $1", run.id))
    shared = ("day", "round", "investments", "roi", "commissions", "commission", "forfeited")
    assert {name: answer[name] for name in shared} == {name: paid[name] for name in shared}
    assert answer["investments"] == 3
    assert answer["forfeited"] == 2
    after = await tried(sexton, THEN)
    assert {name: after[name] for name in NOTHING_MORE} == NOTHING_MORE
    assert after["state"] == "PAID"


async def test_a_dry_run_says_that_the_day_would_be_held_and_what_has_no_rate(house: Payouts, sexton: Console) -> None:
    await house.insert("plan", id=2, name="unrated", duration_days=10)
    await house.invest(3, 1, "5.00", on=SINCE, until=UNTIL, plan=2)
    await house.invest(4, 1, "9000.00", on=SINCE, until=UNTIL)
    answer = await tried(sexton, THEN)
    assert answer["without_rate"] == 1
    assert answer["would_be_held"] == "100.00 INR is more than 2 times the usual 10.00 of 3 days"


async def test_a_dry_run_of_a_reversed_day_is_of_its_next_round(house: Payouts, sexton: Console) -> None:
    await house.reverse()
    answer = await tried(sexton, DAY)
    assert (answer["round"], answer["state"], answer["roi"]) == (2, "REVERSED", {"INR": "10.00", "USD": "5.00"})


async def test_a_dry_run_of_single_investments_is_refused(house: Payouts, sexton: Console) -> None:
    done = await sexton.beside("run-job", "daily-roi-distribution", "--dry-run", "--args", '{"investments": [1]}')
    assert done.status == 2
    assert "a dry run is about the whole day" in done.err
