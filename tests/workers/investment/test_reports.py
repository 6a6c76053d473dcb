"""Weekly and monthly reports of a small house whose figures were worked out by hand."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from tests.workers.investment.house import House
from workers.investment.monthly_analytics import monthly_analytics
from workers.investment.weekly_report import weekly_report

INDIA = ZoneInfo("Asia/Kolkata")
SUNDAY = datetime(2026, 11, 22, 6, tzinfo=INDIA)
DECEMBER = datetime(2026, 12, 1, 3, tzinfo=INDIA)


def at(day: int, hour: int = 12, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=INDIA)


@pytest.fixture
async def house(url: str, connection: asyncpg.Connection) -> House:
    """The week is 15 to 21 November 2026, the one before 8 to 14."""
    house = House(url, connection)
    await house.plan(1)
    await house.plan(2)
    for id_, created in ((1, at(1)), (2, at(14, 23, 59)), (3, at(15, 0)), (4, at(21, 23, 59)), (5, at(22, 0))):
        await house.user(id_, created_at=created)
    return house


async def payout(
    house: House, day: date, *levels: str, state: str = "PAID", round_: int = 1, currency: str = "INR"
) -> None:  # fmt: skip
    """Totals of a day: the return, then commissions by level."""
    await house.connection.execute(
        "INSERT INTO investment.accrual_day VALUES ($1, $2, $3, 1, $4, $4) ON CONFLICT (accrual_date) "
        "DO UPDATE SET round = excluded.round, state = excluded.state",
        day, round_, state, datetime(2026, 11, 1, tzinfo=UTC),
    )  # fmt: skip
    for level, amount in enumerate(levels):
        await house.insert("accrual_total", accrual_date=day, round=round_, run_id=1, currency=currency, level=level,
                           payments=2, amount=Decimal(amount))  # fmt: skip


async def a_week(house: House) -> None:
    await house.book(1, "DEPOSIT", "1000.00", at(15, 0))
    await house.book(1, "DEPOSIT", "500.50", at(21, 23, 59))
    await house.book(1, "DEPOSIT", "9999.00", at(22, 0))  # next week
    await house.book(1, "DEPOSIT", "800.00", at(14, 23, 59))  # the week before
    await house.book(1, "DEPOSIT", "77.00", at(16), status="VOID")
    await house.book(1, "DEPOSIT", "66.00", at(16), status="PENDING")
    await house.book(1, "WITHDRAWAL", "-300.25", at(18))
    await house.book(1, "WITHDRAWAL", "-40.00", at(19), status="PENDING")
    await house.book(2, "DEPOSIT", "20.00", at(17), currency="USD")
    await payout(house, date(2026, 11, 14), "90.00", "9.00")
    await payout(house, date(2026, 11, 15), "100.00", "10.00", "5.00", "3.00", "2.00", "1.00")
    await payout(house, date(2026, 11, 21), "50.00")
    await payout(house, date(2026, 11, 22), "70.00")  # next week
    await payout(house, date(2026, 11, 16), "600.00", state="REVERSED")
    await payout(house, date(2026, 11, 17), "700.00", state="REVERSED")
    await payout(house, date(2026, 11, 17), "7.00", round_=2)
    until = date(2027, 11, 1)
    await house.invest(1, 1, "1000.00", on=date(2026, 11, 15), until=until)
    await house.invest(2, 2, "2500.00", on=date(2026, 11, 21), until=until)
    await house.invest(3, 2, "400.00", on=date(2026, 11, 14), until=until)
    await house.invest(4, 3, "10.00", on=date(2026, 11, 18), until=until, currency="USD", status="CANCELLED")
    await house.invest(5, 3, "50.00", on=date(2025, 1, 1), until=date(2026, 11, 20), status="COMPLETED")
    await house.connection.execute(
        "INSERT INTO investment.investment_archive (id, user_id, plan_id, activated_on, last_accrual_on, principal, "
        "paid_total, currency, status, created_at) "
        "VALUES (6, 3, 1, '2026-11-16', '2026-11-17', 5, 0, 'INR', 'COMPLETED', now())"
    )


async def weekly(house: House, due_at: datetime = SUNDAY, **settings: Any) -> dict[str, Any]:
    run = await house.perform(weekly_report, due_at, settings=settings)
    assert (run.ending, run.error) == ("succeeded", None)
    report: dict[str, Any] = run.result["report"]
    return report


async def test_an_empty_house_has_a_report_of_nothing(url: str, connection: asyncpg.Connection) -> None:
    house = House(url, connection)
    report = await weekly(house)
    assert report["users"] == {"new": 0, "new_before": 0, "growth_pct": None}
    assert report["currencies"] == {}
    assert [day["day"] for day in report["days"]] == [f"2026-11-{n}" for n in range(15, 22)]
    ((_, text, html), _) = await house.texts()
    assert "New users: 0" in text
    assert html is not None
    assert "<img" not in html


async def test_the_week_in_rupees_is_what_was_worked_out_by_hand(house: House) -> None:
    await a_week(house)
    report = await weekly(house)
    assert (report["from"], report["until"], report["timezone"]) == ("2026-11-15", "2026-11-21", "Asia/Kolkata")
    assert report["users"] == {"new": 2, "new_before": 1, "growth_pct": "100.00"}
    assert report["currencies"]["INR"] == {
        "deposits": "1500.50", "deposits_before": "800.00", "deposits_growth_pct": "87.56",
        "roi": "157.00", "roi_before": "90.00", "roi_growth_pct": "74.44",
        "commission": "21.00", "commission_before": "9.00", "commission_growth_pct": "133.33",
        "withdrawals": "300.25", "withdrawals_before": "0.00", "withdrawals_growth_pct": None,
        "revenue": "1022.25", "revenue_before": "701.00", "revenue_growth_pct": "45.83",
        "commission_by_level": {"1": "10.00", "2": "5.00", "3": "3.00", "4": "2.00", "5": "1.00"},
        "distributions": 6, "deposits_made": 2, "withdrawals_made": 1,
        "withdrawals_pending": 1, "withdrawals_pending_amount": "40.00",
        "opened": 3, "invested": "3505.00", "invested_before": "400.00", "invested_growth_pct": "776.25",
        "matured": 2, "active": 3, "active_principal": "3900.00", "active_investors": 2,
    }  # fmt: skip


async def test_currencies_are_never_added_up(house: House) -> None:
    await a_week(house)
    dollars = (await weekly(house))["currencies"]["USD"]
    assert (dollars["deposits"], dollars["revenue"], dollars["invested"]) == ("20.00", "20.00", "10.00")
    assert (dollars["opened"], dollars["active"]) == (1, 0)


async def test_the_report_is_a_row_under_the_platforms_key(house: House) -> None:
    report = await weekly(house)
    ((kind, key, version, payload),) = await house.rows(
        "SELECT kind, period_key, version, payload FROM investment.report"
    )
    assert (kind, key, version) == ("weekly", "2026-11-22", 1)
    assert json.loads(payload) == report
    query = "SELECT value FROM investment.system_settings_compat WHERE key = 'weekly_report_2026-11-22'"
    assert json.loads(await house.value(query)) == report


async def test_a_run_again_replaces_the_row_and_mails_nobody_twice(house: House) -> None:
    await weekly(house)
    generated = await house.value("SELECT generated_at FROM investment.report")
    await house.book(1, "DEPOSIT", "1.00", at(20))  # late data
    await weekly(house, SUNDAY + timedelta(hours=1))
    ((payload, again),) = await house.rows("SELECT payload, generated_at FROM investment.report")
    assert json.loads(payload)["currencies"]["INR"]["deposits"] == "1.00"
    assert again > generated
    assert await house.keys() == [f"weekly_report:2026-11-22:{name}@example.org" for name in ("ada", "bob")]


async def test_after_downtime_every_missed_week_has_its_own(house: House) -> None:
    await a_week(house)
    await weekly(house, SUNDAY - timedelta(days=7))
    await weekly(house)
    query = "SELECT period_key, payload -> 'currencies' -> 'INR' ->> 'roi' FROM investment.report ORDER BY 1"
    assert await house.rows(query) == [("2026-11-15", "90.00"), ("2026-11-22", "157.00")]


async def test_the_mail_has_the_figures_and_its_charts_inside(house: House) -> None:
    await a_week(house)
    await weekly(house)
    data = json.loads((await house.messages())[0]["data"])
    assert [chart["title"] for chart in data["charts"]] == [
        "New users by day", "Returns paid by day, INR", "Deposits by day, INR", "Withdrawals by day, INR",
        "Invested by day, INR", "Deposits by day, USD", "Invested by day, USD",
    ]  # fmt: skip
    assert (data["charts"][2]["highest"], data["charts"][2]["lowest"]) == ("1,000.00", "0.00")
    for chart in data["charts"]:
        assert base64.b64decode(data["images"][chart["cid"]]).startswith(b"\x89PNG")
    subject, text, html = (await house.texts())[0]
    assert subject == "Weekly report, 2026-11-15 to 2026-11-21: revenue INR 1,022.25, USD 20.00"
    assert "Revenue        1,022.25 (+45.83 %)" in text
    assert "Deposits by day, INR: highest 1,000.00, lowest 0.00" in text
    assert html is not None
    assert all(f'src="cid:{chart["cid"]}"' in html for chart in data["charts"])


async def monthly(house: House, due_at: datetime = DECEMBER) -> dict[str, Any]:
    run = await house.perform(monthly_analytics, due_at, settings={"top_plans": 2})
    assert (run.ending, run.error) == ("succeeded", None)
    report: dict[str, Any] = run.result["report"]
    return report


async def test_the_month_is_the_calendar_month_before_under_its_padded_key(house: House) -> None:
    report = await monthly(house)
    assert (report["from"], report["until"], len(report["days"])) == ("2026-11-01", "2026-11-30", 30)
    assert await house.rows("SELECT kind, period_key FROM investment.report") == [("monthly", "2026_11")]
    await monthly(house, datetime(2026, 2, 1, 3, tzinfo=INDIA))
    query = "SELECT key FROM investment.system_settings_compat WHERE key LIKE 'monthly_analytics_%' ORDER BY 1"
    assert await house.rows(query) == [("monthly_analytics_2026_01",), ("monthly_analytics_2026_11",)]


async def test_growth_is_of_all_who_are_registered(house: House) -> None:
    await house.user(6, created_at=at(31, 23, 59, month=10))
    await house.user(7, created_at=at(1, 0, month=12))
    report = await monthly(house)
    assert report["growth"] == {"users_at_start": 1, "users_at_end": 6, "growth_pct": "500.00"}
    assert report["users"]["new"] == 5


async def test_plans_and_patterns_are_what_was_worked_out_by_hand(house: House) -> None:
    await a_week(house)
    await house.plan(3)
    await house.invest(7, 4, "3905.00", on=date(2026, 11, 2), until=date(2027, 1, 1), plan=3)
    await house.invest(8, 4, "1.00", on=date(2026, 11, 3), until=date(2027, 1, 1), plan=2)
    report = await monthly(house)
    assert report["top_plans"]["INR"] == [  # plan 1: 1000 + 2500 + 400 + 5 = 3905 as well, so the smaller id leads
        {"plan_id": 1, "name": "plan 1", "investments": 4, "invested": "3905.00", "share_pct": "49.99"},
        {"plan_id": 3, "name": "plan 3", "investments": 1, "invested": "3905.00", "share_pct": "49.99"},
    ]
    # 1, 5, 400, 1000, 2500, 3905: user 3 had invested before, users 1, 2 and 4 had not
    assert report["patterns"]["INR"] == {
        "average": "1301.83", "median": "400.00", "smallest": "1.00", "largest": "3905.00", "investors": 4,
        "first_time": 3,
    }  # fmt: skip


async def test_performance_counts_days_checks_and_runs(house: House) -> None:
    await payout(house, date(2026, 11, 3), "1.00")
    await payout(house, date(2026, 11, 4), "1.00", state="REVERSED")
    await house.insert("parked_payout", accrual_date=date(2026, 11, 3), investment_id=1, reason="r", run_id=1)
    for n, (severity, ms) in enumerate((("ok", 1), ("warning", 3), ("critical", 8))):
        checks = json.dumps({"database_ms": {"value": ms, "severity": severity}})
        await house.insert("health_check", checked_at=at(5 + n), severity=severity, checks=checks)
    await house.perform(weekly_report, SUNDAY)
    performance = (await monthly(house))["performance"]
    jobs = performance.pop("jobs")
    assert performance == {
        "days": 30, "days_paid": 1, "longest_payout_s": 0.0, "parked": 1, "parked_open": 1, "health_checks": 3,
        "health_warning": 1, "health_critical": 1, "database_ms_average": 4.0, "database_ms_p95": 7.5,
    }  # fmt: skip
    assert [(job["job"], job["succeeded"], job["failed"]) for job in jobs] == [("investment.weekly_report", 1, 0)]


async def test_the_monthly_mail_can_be_made(house: House) -> None:
    await a_week(house)
    await house.perform(weekly_report, SUNDAY, settings={"administrators": ()})
    await monthly(house)
    subject, text, html = (await house.texts())[0]
    assert subject.startswith("Monthly analytics, 2026-11: revenue INR ")
    assert "    1. plan 1: 3,905.00 in 4 (100.00 %)" in text
    assert html is not None
    assert re.search(r"plan 1</bdi>.*4 investments.*3,905\.00.*100\.00", html, re.DOTALL)
