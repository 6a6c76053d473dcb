"""What cannot be paid costs only itself: parked with its reason, told, and paid later for the same day."""

from __future__ import annotations

import json
import re
import shlex
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from daemon.testing import PerformedRun
from tests.daemon.cli.console import Console
from tests.workers.investment.payouts import DAY, INDIA, Payouts
from workers.investment.ledger_audit import ledger_audit
from workers.investment.parking import most_parked

SINCE, UNTIL = date(2026, 3, 1), date(2026, 12, 31)
REASON = 'UniqueViolationError: duplicate key value violates unique constraint "ledger_pkey"'


@pytest.fixture
async def house(payouts: Payouts) -> Payouts:
    """Nine investments of one person, in one range."""
    payouts.small = 100_000
    for id_ in range(1, 10):
        await payouts.invest(id_, 1, on=SINCE, until=UNTIL)
    return payouts


async def poison(house: Payouts, *investments: int) -> None:
    """Somebody has entered their ledger rows by hand, so that the payout's are refused."""
    for id_ in investments:
        await house.insert("ledger", ref=f"{DAY}:{id_}", kind="ROI", user_id=3, amount=Decimal(1), currency="INR")


async def heal(house: Payouts) -> None:
    await house.connection.execute("ALTER TABLE investment.ledger DISABLE TRIGGER append_only")
    await house.connection.execute("DELETE FROM investment.ledger WHERE user_id = 3 AND kind = 'ROI'")
    await house.connection.execute("ALTER TABLE investment.ledger ENABLE TRIGGER append_only")


async def release(house: Payouts, run: PerformedRun) -> PerformedRun:
    return await house.pay(resume=run.id)


async def parked(house: Payouts) -> list[tuple[Any, ...]]:
    return await house.rows("SELECT investment_id, settled_by FROM investment.parked_payout ORDER BY 1")


@pytest.mark.parametrize("bad", [(1,), (9,), (5,), (4, 5), (1, 3, 9), tuple(range(1, 10))])
async def test_bad_rows_are_parked_with_their_reason_and_the_rest_is_paid(house: Payouts, bad: tuple[int, ...]) -> None:
    await poison(house, *bad)
    run = await house.pay()
    assert (run.ending, run.result["parked"], run.result["investments"]) == ("succeeded", len(bad), 9 - len(bad))
    query = "SELECT investment_id, reason FROM investment.parked_payout ORDER BY 1"
    assert await house.rows(query) == [(id_, REASON) for id_ in bad]
    assert await house.rows("SELECT investment_id FROM investment.roi_distribution ORDER BY 1") == [
        (id_,) for id_ in range(1, 10) if id_ not in bad
    ]
    assert await house.value("SELECT sum(paid_total) FROM investment.investment") == 10 * (9 - len(bad))


async def test_an_amount_that_does_not_fit_is_parked_too(house: Payouts) -> None:
    await house.user(4)
    await house.invest(10, 4, on=SINCE, until=UNTIL)
    await house.insert("wallet", user_id=4, currency="INR", balance=Decimal("9999999999999999.99"))
    run = await house.pay()
    assert (run.result["parked"], run.result["investments"]) == (1, 9)
    reason = await house.value("SELECT reason FROM investment.parked_payout WHERE investment_id = 10")
    assert reason.startswith("NumericValueOutOfRangeError")


async def test_an_upline_with_no_room_in_the_wallet_costs_a_statement_for_each_of_theirs(house: Payouts) -> None:
    await many_investments(house, 2000)
    for id_, referrer in ((4, None), (5, 4)):
        await house.user(id_, referrer=referrer)
    await house.connection.execute("UPDATE investment.investment SET user_id = 5 WHERE id IN (200, 900, 1700)")
    await house.insert("wallet", user_id=4, currency="INR", balance=Decimal("9999999999999999.99"))
    await house.insert("wallet", user_id=3, currency="USD", balance=Decimal("9999999999999999.99"))
    await house.connection.execute(COUNTING)
    run = await house.pay()
    assert (run.ending, run.result["parked"], run.result["investments"]) == ("succeeded", 3, 2006)
    assert [id_ for id_, _ in await parked(house)] == [200, 900, 1700]
    assert await attempts(house) == 1 + 3 + 1


COUNTING = """
CREATE SEQUENCE public.attempts;  -- goes on where a savepoint is rolled back
CREATE FUNCTION public.attempted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM nextval('public.attempts');
    RETURN NULL;
END $$;
CREATE TRIGGER attempted BEFORE INSERT ON investment.accrual_total
    FOR EACH STATEMENT EXECUTE FUNCTION public.attempted();
"""


async def attempts(house: Payouts) -> int:
    count: int = await house.value("SELECT last_value FROM public.attempts WHERE is_called")
    return count


async def many_investments(house: Payouts, count: int) -> None:
    await house.connection.execute(
        "INSERT INTO investment.investment (id, user_id, plan_id, activated_on, last_accrual_on, principal) "
        "SELECT n, 1, 1, $1, $2, 100 FROM generate_series(101, 100 + $3::int) n", SINCE, UNTIL, count,
    )  # fmt: skip


async def poisoned_commission(house: Payouts, id_: int) -> None:
    await house.insert(
        "commission", accrual_date=DAY, level=2, investment_id=id_, beneficiary_id=3, rate=Decimal("0.1"),
        amount=Decimal(1), currency="INR",
    )  # fmt: skip


async def test_bad_rows_of_the_usual_kinds_cost_a_statement_each(house: Payouts) -> None:
    await many_investments(house, 2000)
    await poison(house, *range(110, 2000, 45))  # 42
    await house.insert("ledger", ref=f"{DAY}:2:1500", kind="COMMISSION", user_id=3, amount=Decimal(1), currency="INR")
    await poisoned_commission(house, 1600)
    await house.connection.execute("UPDATE investment.investment SET paid_total = 9999999999999999.99 WHERE id = 1700")
    await house.connection.execute(COUNTING)
    run = await house.pay()
    assert (run.ending, run.result["parked"], run.result["investments"]) == ("succeeded", 45, 1964)
    assert await attempts(house) == 1 + 45 + 1
    reasons = dict(
        await house.rows("SELECT investment_id, reason FROM investment.parked_payout WHERE investment_id >= 1500")
    )
    assert [reasons[1500], reasons[1600], reasons[1700].split(":")[0]] == [
        REASON, REASON.replace("ledger", "commission"), "NumericValueOutOfRangeError",
    ]  # fmt: skip


async def test_bad_rows_of_another_kind_are_found_one_by_one(house: Payouts) -> None:
    await many_investments(house, 2000)
    await house.connection.execute(
        "ALTER TABLE investment.roi_distribution ADD CONSTRAINT house_rule CHECK (investment_id NOT IN (700, 1900))"
    )
    await poison(house, 800)
    await house.connection.execute(COUNTING)
    run = await house.pay()
    assert (run.ending, run.result["parked"], run.result["investments"]) == ("succeeded", 3, 2006)
    assert [id_ for id_, _ in await parked(house)] == [700, 800, 1900]
    assert await attempts(house) < 2 + 1 + 2 * 2 * 12


async def test_an_error_that_is_no_rows_doing_fails_the_run_and_parks_nothing(house: Payouts) -> None:
    await house.cut_off_at(5)
    run = await house.pay()
    assert (run.ending, "cut off" in str(run.error)) == ("failed", True)
    assert await parked(house) == []
    assert await house.count("roi_distribution") == 0


async def test_administrators_are_told_which_why_and_what_to_do(house: Payouts) -> None:
    await poison(house, 4, 7)
    run = await house.pay()
    mail = next(row for row in await house.messages() if row["template"] == "payouts_parked")
    assert (mail["address"], mail["kind"]) == ("ada@example.org", "alert")
    assert json.loads(mail["data"])["rows"][0] == {"investment": 4, "reason": REASON}
    subject, text, html = (await house.texts())[[r["id"] for r in await house.messages()].index(mail["id"])]
    assert subject == "[warning] 2 payouts of 2026-03-10 are parked"
    assert f"Run {run.id} has paid 2026-03-10, but for these investments:\n\n4: {REASON}\n7: {REASON}\n" in text
    command = '--due-at 2026-03-11T00:00 --again --reason "…" --args \'{"investments": [4, 7]}\''
    assert command in text
    assert html is not None
    assert re.search(r"<td[^>]*>7</td>", html)


async def test_parked_ones_are_paid_later_for_the_same_day_and_no_others(house: Payouts) -> None:
    await poison(house, 4, 7)
    await house.pay()
    await heal(house)
    await house.invest(10, 3, on=SINCE, until=UNTIL)  # due for the day too, but not asked for
    run = await house.pay(args={"investments": [4]}, again=1)
    assert (run.ending, run.result["investments"], run.result["parked"]) == ("succeeded", 1, 0)
    assert await parked(house) == [(4, run.id), (7, None)]
    ((day, amount, by),) = await house.rows(
        "SELECT accrual_date, amount, run_id FROM investment.roi_distribution WHERE investment_id = 4"
    )
    assert (day, amount, by) == (DAY, Decimal("10.00"), run.id)
    assert [key for key in await house.keys() if key.startswith(f"roi:{DAY}:run-")] == [
        f"roi:{DAY}:run-{run.id}:{user}" for user in (1, 2, 3)
    ]
    again = await house.pay(args={"investments": [4]}, again=2)
    assert (again.result["investments"], again.result["notified"]) == (0, 0)


async def test_the_command_in_the_mail_pays_them_and_is_audited(house: Payouts, sexton: Console) -> None:
    await poison(house, 4, 7)
    await house.pay()
    await heal(house)
    command = next(text for _, text, _ in await house.texts() if "Run 1 has paid" in text).splitlines()[-1]
    done = (await sexton.process(*shlex.split(command)[1:], "--wait")).ok()
    run = int(done.out.splitlines()[0])
    assert await parked(house) == [(4, run), (7, run)]
    assert await house.value("SELECT count(*) FROM investment.roi_distribution WHERE accrual_date = $1", DAY) == 9
    ((action, reason),) = await house.rows("SELECT action, reason FROM sexton.audit")
    assert (action, reason) == ("run-job", "…")


async def test_a_day_is_audited_again_when_single_investments_were_paid_for_it(house: Payouts) -> None:
    await house.pay()
    morning = datetime.combine(DAY + timedelta(days=1), time(4), INDIA)
    assert (await house.perform(ledger_audit, morning)).result == {"days": 1, "differences": {}, "told": 0}
    await house.invest(10, 3, on=SINCE, until=UNTIL, created_at=morning)  # entered late, and due for the day
    await house.pay(args={"investments": [10]}, again=1)
    later = await house.perform(ledger_audit, morning + timedelta(days=1))
    assert later.result == {"days": 1, "differences": {}, "told": 0}


async def test_bad_rows_far_apart_are_found_as_well(house: Payouts) -> None:
    for id_ in (70_000, 5_000_000, 5_000_001, 2**40):
        await house.invest(id_, 1, on=SINCE, until=UNTIL)
    await poison(house, 1, 5_000_000, 2**40)
    run = await house.pay()
    assert (run.result["investments"], run.result["parked"]) == (10, 3)
    assert [id_ for id_, _ in await parked(house)] == [1, 5_000_000, 2**40]


async def test_what_is_still_bad_is_parked_again_under_its_new_run(house: Payouts) -> None:
    await poison(house, 4)
    await house.pay()
    run = await house.pay(args={"investments": [4]}, again=1)
    assert (run.result["investments"], run.result["parked"]) == (0, 1)
    assert await house.rows("SELECT run_id, settled_by FROM investment.parked_payout") == [(run.id, None)]


async def test_a_full_run_again_pays_the_parked_as_well(house: Payouts) -> None:
    await poison(house, 4)
    await house.pay()
    await heal(house)
    run = await house.pay(again=1)
    assert run.result["investments"] == 1
    assert await parked(house) == [(4, run.id)]


async def test_single_investments_of_a_day_that_is_not_paid_are_refused(house: Payouts) -> None:
    run = await house.pay(args={"investments": [4]})
    assert (run.ending, "2026-03-10 has not been paid" in str(run.error)) == ("failed", True)
    await house.cut_off_at(1)
    await house.pay(again=1)
    run = await house.pay(args={"investments": [4]}, again=2)
    assert "2026-03-10 is paying" in str(run.error)
    assert await house.count("ledger") == 0


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"investment": 4}, "args: investment: the only one is investments"),
        ({"investments": []}, "must be a list of ids"),
        ({"investments": 4}, "must be a list of ids"),
        ({"investments": ["4"]}, "must be a list of ids"),
        ({"investments": [0]}, "must be a list of ids"),
        ({"investments": [True]}, "must be a list of ids"),
    ],
)
async def test_arguments_that_say_nothing_are_refused(house: Payouts, args: dict[str, Any], message: str) -> None:
    run = await house.pay(args=args)
    assert (run.ending, message in str(run.error)) == ("failed", True)
    assert await house.count("accrual_day") == 0


async def test_a_plan_without_a_rate_parks_its_investments_until_it_is_given_one(house: Payouts) -> None:
    await house.insert("plan", id=2, name="unrated", duration_days=10)
    await house.invest(10, 3, on=SINCE, until=UNTIL, plan=2)
    run = await house.pay()
    assert (run.result["investments"], run.result["parked"]) == (9, 1)
    assert await house.rows("SELECT investment_id, reason FROM investment.parked_payout") == [
        (10, "plan 2 has no rate for 2026-03-10")
    ]
    await house.connection.execute("INSERT INTO investment.plan_rate VALUES (2, '[2026-03-01,)', 0.02)")
    later = await house.pay(args={"investments": [10]}, again=1)
    assert later.result["roi"] == {"INR": Decimal("20.00")}
    assert await parked(house) == [(10, later.id)]


@pytest.mark.parametrize(
    ("due", "most"), [(0, 100), (1000, 100), (100_000, 100), (100_999, 100), (101_000, 101), (1_000_000, 1000)]
)
def test_a_hundred_or_one_in_a_thousand_may_be_parked(due: int, most: int) -> None:
    assert most_parked(due) == most


async def many(house: Payouts, bad: int) -> None:
    """Three hundred more, of which so many cannot be paid."""
    await house.connection.execute(
        "INSERT INTO investment.investment (id, user_id, plan_id, activated_on, last_accrual_on, principal) "
        "SELECT n, 3, 1, $1, $2, 100 FROM generate_series(101, 400) n", SINCE, UNTIL,
    )  # fmt: skip
    await poison(house, *range(150, 150 + bad))


async def test_a_hundred_are_parked(house: Payouts) -> None:
    await many(house, 100)
    run = await house.pay()
    assert (run.ending, run.result["parked"], run.result["investments"]) == ("succeeded", 100, 209)
    mail = next(row for row in await house.messages() if row["template"] == "payouts_parked")
    data = json.loads(mail["data"])
    assert (len(data["rows"]), data["more"]) == (50, 50)


async def test_more_are_held_with_nothing_of_their_range_paid_until_a_person_says_so(house: Payouts) -> None:
    await many(house, 101)
    run = await house.pay()
    assert (run.ending, run.error) == ("held", None)
    reason = await house.value("SELECT reason FROM sexton.run WHERE id = $1", run.id)
    assert reason.startswith("investments up to 400 cannot be paid for 2026-03-10: 101 were refused, the last, 250, by")
    assert (await house.count("roi_distribution"), await parked(house), await house.keys()) == (0, [], [])
    released = await release(house, run)
    assert (released.ending, released.result["parked"], released.result["investments"]) == ("succeeded", 101, 208)


async def test_a_hundred_and_one_are_too_many_over_several_ranges_too(house: Payouts) -> None:
    house.small = 50
    await many(house, 101)
    run = await house.pay()
    assert run.ending == "held"
    reason = await house.value("SELECT reason FROM sexton.run WHERE id = $1", run.id)
    assert reason.startswith("101 investments cannot be paid for 2026-03-10, such as: UniqueViolationError")
    assert len(await parked(house)) <= 100
    assert 0 < await house.count("roi_distribution") < 208


async def test_many_without_a_rate_are_held_before_anything_is_paid(house: Payouts) -> None:
    await house.insert("plan", id=2, name="unrated", duration_days=10)
    await many(house, 0)
    await house.connection.execute("UPDATE investment.investment SET plan_id = 2 WHERE id BETWEEN 101 AND 201")
    run = await house.pay()
    assert run.ending == "held"
    reason = await house.value("SELECT reason FROM sexton.run WHERE id = $1", run.id)
    assert reason == (
        "2026-03-10 is not paid yet: 101 of 309 due investments have a plan without a rate: see investment.plan_rate"
    )
    assert await house.count("accrual_day") == 0
    await house.connection.execute("INSERT INTO investment.plan_rate VALUES (2, '[2026-03-01,)', 0.01)")
    assert (await release(house, run)).result["investments"] == 309


async def why_held(house: Payouts, run: PerformedRun) -> str:
    assert run.ending == "held", run
    reason: str = await house.value("SELECT reason FROM sexton.run WHERE id = $1", run.id)
    return reason


async def test_a_release_lifts_the_limit_of_parked_rows_only_as_far_as_was_said(
    house: Payouts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.investment.parking.TENFOLD", 1)
    await many(house, 240)
    run = await house.pay()
    assert (await why_held(house, run)).endswith("; released, the run parks up to 101 and pays the others")
    again = await release(house, run)
    assert "202 were refused" in await why_held(house, again)
    assert await house.count("roi_distribution") == 0
    last = await release(house, run)
    assert (last.ending, last.result["parked"], last.result["investments"]) == ("succeeded", 240, 69)


async def test_releasing_a_day_of_too_high_a_total_does_not_lift_the_limit_of_parked_rows(house: Payouts) -> None:
    await many(house, 101)
    for back in (3, 2, 1):
        await house.insert("accrual_day", accrual_date=DAY - timedelta(days=back), state="PAID", run_id=9)
        await house.insert(
            "accrual_total", accrual_date=DAY - timedelta(days=back), round=1, run_id=9, currency="INR", level=0,
            payments=1, amount=Decimal(1),
        )  # fmt: skip
    run = await house.pay()
    assert "more than 2 times the usual 1.00" in await why_held(house, run)
    again = await release(house, run)
    assert "101 were refused" in await why_held(house, again)
    last = await release(house, run)
    assert (last.ending, last.result["parked"]) == ("succeeded", 101)


async def test_releasing_a_day_without_rates_parks_those_and_single_rows_besides(house: Payouts) -> None:
    await house.insert("plan", id=2, name="unrated", duration_days=10)
    await many(house, 20)
    await house.connection.execute("UPDATE investment.investment SET plan_id = 2 WHERE id BETWEEN 201 AND 350")
    run = await house.pay()
    assert "150 of 309 due investments have a plan without a rate" in await why_held(house, run)
    last = await release(house, run)
    assert (last.ending, last.result["parked"], last.result["investments"]) == ("succeeded", 170, 139)


async def test_parked_rows_of_yesterday_are_not_counted_today(house: Payouts) -> None:
    await many(house, 60)
    await house.pay()
    await house.connection.execute(
        "INSERT INTO investment.ledger (ref, kind, user_id, amount, currency) "
        "SELECT '2026-03-11:' || n, 'ROI', 3, 1, 'INR' FROM generate_series(201, 260) n"
    )
    run = await house.pay(DAY + timedelta(days=1))
    assert (run.ending, run.result["parked"]) == ("succeeded", 60)
