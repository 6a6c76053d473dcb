"""Reports of the dashboard: what the weekly and monthly reports said, and the returns of the days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import asyncpg

from tests.workers.investment.house import House
from tests.workers.reported import cells, reported
from workers.investment import reports
from workers.investment.monthly_analytics import monthly_analytics
from workers.investment.weekly_report import weekly_report

INDIA = ZoneInfo("Asia/Kolkata")
SUNDAY = datetime(2026, 11, 22, 6, tzinfo=INDIA)
DECEMBER = datetime(2026, 12, 1, 3, tzinfo=INDIA)
FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)


async def test_reports_are_shown_as_they_were_published_a_row_a_currency(
    url: str, connection: asyncpg.Connection
) -> None:
    house = House(url, connection)
    await house.plan(1)
    await house.user(1, created_at=SUNDAY - timedelta(days=3))
    on = SUNDAY - timedelta(days=4)
    await house.book(1, "DEPOSIT", "1500.50", on)
    await house.book(1, "WITHDRAWAL", "-300.25", on)
    await house.book(1, "DEPOSIT", "4900", on, currency="JPY")
    await house.invest(1, 1, "1000.00", on=on.date(), until=date(2027, 11, 1))
    for job, due in ((weekly_report, SUNDAY), (monthly_analytics, DECEMBER)):
        run = await house.perform(job, due)
        assert (run.ending, run.error) == ("succeeded", None)
    shown = await reported(connection, "investment", reports.weekly, FIRST, LAST)
    names = ("period", "currency", "deposits", "withdrawals", "revenue", "growth", "invested", "new_users")
    assert [cells(reports.weekly, row, *names) for row in shown] == [
        ["2026-11-21", "INR", "1500.50", "300.25", "1200.25", "", "1000.00", "1"],
        ["2026-11-21", "JPY", "4900", "0", "4900", "", "0", "1"],
    ]
    (rupees, yen) = await reported(connection, "investment", reports.monthly, date(2026, 11, 20), LAST)
    assert cells(reports.monthly, rupees, "period", "currency", "deposits") == ["2026-11-01", "INR", "1500.50"]
    assert cells(reports.monthly, yen, "currency", "revenue") == ["JPY", "4900"]
    (best,) = await reported(connection, "investment", reports.best_plans, FIRST, LAST)
    assert cells(reports.best_plans, best, "currency", "invested", "share") == [
        "INR",
        "1000.00",
        "1.00000000000000000000",
    ]
    assert await reported(connection, "investment", reports.weekly, FIRST, date(2026, 11, 20)) == []


async def test_returns_of_a_day_are_those_of_the_round_that_counts(url: str, connection: asyncpg.Connection) -> None:
    house = House(url, connection)
    began = datetime(2026, 11, 1, tzinfo=UTC)
    for day, state, round_ in ((10, "PAID", 2), (11, "REVERSED", 1)):
        on = date(2026, 11, day)
        await connection.execute(
            "INSERT INTO investment.accrual_day VALUES ($1, $2, $3, 1, $4, $4)", on, round_, state, began
        )
        paid = (1, 1, 0, "600"), (2, 2, 0, "70.10"), (2, 3, 0, "0.05"), (2, 3, 1, "7.00")
        for of_round, run, level, amount in paid:
            await house.insert("accrual_total", accrual_date=on, round=of_round, run_id=run, currency="INR",
                               level=level, payments=2, amount=Decimal(amount))  # fmt: skip
    rows = await reported(connection, "investment", reports.returns_by_day, FIRST, LAST)
    assert [cells(reports.returns_by_day, row, "day", "roi", "commission", "payments") for row in rows] == [
        ["2026-11-10", "70.15", "7.00", "6"]
    ]
