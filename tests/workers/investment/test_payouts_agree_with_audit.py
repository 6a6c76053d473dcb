"""Whatever the house looks like, what the payout job writes is what the audit works out on its own."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.workers.investment.house import House
from workers.investment.daily_roi_distribution import daily_roi_distribution
from workers.investment.ledger_audit import ledger_audit

INDIA = ZoneInfo("Asia/Kolkata")
FIRST = date(2026, 3, 10)
PEOPLE = 8
ALL = (
    "app_user, plan, plan_rate, commission_level, investment, accrual_day, accrual_rate, accrual_level, accrual_total, "
    "roi_distribution, commission, ledger, wallet, parked_payout, audited_day, audit_difference"
)

person = st.tuples(st.one_of(st.none(), st.integers(1, PEOPLE)), st.sampled_from(["ACTIVE"] * 4 + ["SUSPENDED"]))
investment = st.tuples(
    st.integers(1, PEOPLE), st.integers(1, 2), st.integers(1, 500_000), st.integers(-2, 2), st.integers(1, 4),
    st.sampled_from(["INR", "USD"]),
)  # fmt: skip


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(person, min_size=PEOPLE, max_size=PEOPLE), st.lists(investment, max_size=10))
async def test_three_days_paid_by_the_job_agree_to_the_cent(
    url: str,
    connection: asyncpg.Connection,
    people: list[tuple[int | None, str]],
    investments: list[tuple[int, int, int, int, int, str]],
) -> None:
    house = House(url, connection)
    await connection.execute(f"TRUNCATE {', '.join('investment.' + t for t in ALL.split(', '))}, sexton.outbox CASCADE")
    await connection.execute("TRUNCATE sexton.run CASCADE")
    for id_, (_, status) in enumerate(people, 1):
        await house.user(id_, status=status)
    for id_, (referrer, _) in enumerate(people, 1):
        if referrer != id_:
            await connection.execute("UPDATE investment.app_user SET referrer_id = $2 WHERE id = $1", id_, referrer)
    await house.plan(1, rate="0.012345")
    await house.plan(2, rate="0.02", cap="0.045")
    for level, rate in enumerate(("0.10", "0.05", "0.03", "0.02", "0.01"), 1):
        await connection.execute(
            "INSERT INTO investment.commission_level VALUES ($1, '[2000-01-01,)', $2)", level, Decimal(rate)
        )
    for id_, (user, plan, cents, begins, lasts, currency) in enumerate(investments, 1):
        on = FIRST + timedelta(days=begins)
        await house.invest(id_, user, str(Decimal(cents) / 100), on=on, until=on + timedelta(days=lasts), plan=plan,
                           currency=currency)  # fmt: skip
    for n in range(3):
        midnight = datetime.combine(FIRST + timedelta(days=n + 1), datetime.min.time(), INDIA)
        run = await house.perform(daily_roi_distribution, midnight)
        assert (run.ending, run.error) == ("succeeded", None)
    audited = await house.perform(ledger_audit, midnight + timedelta(hours=4))
    assert (audited.ending, audited.error) == ("succeeded", None)
    assert audited.result == {"days": 3, "differences": {}, "told": 0}
