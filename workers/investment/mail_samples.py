"""Samples of this suite's mails for `sexton preview-mail`: a quiet month of a made-up platform."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from daemon import mail_sample
from workers.investment import ledger_audit, parking, reporting, system_health
from workers.investment.figures import PlanSum, growth_pct, text_or_none
from workers.investment.ledger_audit import Difference
from workers.investment.monthly_analytics import ranked
from workers.investment.period import Period, last_month, last_week, month_before, week_before
from workers.investment.settings import Settings
from workers.investment.summary import Active, Collected, Sum, summary
from workers.investment.thresholds import News, Trouble, judge, news

ZONE = "Asia/Kolkata"
SUNDAY, FIRST = date(2026, 11, 22), date(2026, 11, 1)
NOON = datetime(2026, 11, 22, 12, 15, tzinfo=ZoneInfo(ZONE))
AN_HOUR = timedelta(hours=1)
CHECK = "disk_free_pct:/var/lib/postgresql"
PLANS = (("Silver 90", 41, "1873500.00"), ("Gold 180", 17, "1420000.00"), ("Platinum 365", 6, "1150000.00"))
BY_CURRENCY = ("currencies", "deposit", "withdrawal", "roi", "invested", "patterns", "top_plans")


@mail_sample(keyed=("purses",))
def roi_digest(_settings: Settings) -> Mapping[str, Any]:
    purses = {"INR": {"roi": "1240.50", "commission": "86.25"}, "USD": {"roi": "0", "commission": "12.40"}}
    return {"date": "2026-11-21", "purses": purses}


@mail_sample("promotional")
def notification(_settings: Settings) -> Mapping[str, Any]:
    body = "From 1 December on you can invest from ₹5,000, for 90 days.\n\nYour present investments stay as they are."
    return {"title": "Silver 90 is open to everybody 🎉", "body": body}


@mail_sample(keyed=BY_CURRENCY)
def weekly_report(_settings: Settings) -> Mapping[str, Any]:
    week = last_week(SUNDAY)
    return reporting.letter(_payload(week, week_before(week)))


@mail_sample(keyed=BY_CURRENCY)
def monthly_analytics(settings: Settings) -> Mapping[str, Any]:
    month = last_month(FIRST)
    plans = [PlanSum(n, name, "INR", count, Decimal(sum_)) for n, (name, count, sum_) in enumerate(PLANS, 1)]
    more = {
        "growth": {"users_at_start": 4031, "users_at_end": 4312, "growth_pct": text_or_none(growth_pct(4312, 4031))},
        "patterns": {
            "INR": {"average": "69429.69", "median": "50000.00", "smallest": "5000.00", "largest": "500000.00",
                    "investors": 58, "first_time": 21},
        },
        "top_plans": ranked(plans, settings.top_plans),
        "performance": {
            "days": 31, "days_paid": 31, "longest_payout_s": 4.183, "parked": 3, "parked_open": 1,
            "health_checks": 2976, "health_warning": 12, "health_critical": 1, "database_ms_average": 0.412,
            "database_ms_p95": 0.97,
            "jobs": [
                {"job": f"investment.{job}", "succeeded": runs, "failed": 0, "missed": missed, "average_s": seconds}
                for job, runs, missed, seconds in (
                    ("daily_roi_distribution", 31, 0, 3.912), ("ledger_audit", 31, 0, 11.27),
                    ("system_health", 2974, 2, 0.041), ("weekly_report", 4, 0, 0.208),
                )
            ],
        },
    }  # fmt: skip
    return reporting.letter(_payload(month, month_before(month)) | more)


@mail_sample("alert", keyed=("totals",))
def ledger_difference(_settings: Settings) -> Mapping[str, Any]:
    day = date(2026, 11, 21)
    found = [
        Difference("roi", day, 90412, "INR", "55120", Decimal("125.00"), Decimal("150.00"), 2),
        Difference("roi", day, 90977, "INR", "55871", Decimal("88.40"), Decimal("0.00"), 2),
        Difference("wallet", None, 90412, "INR", None, Decimal("18250.75"), Decimal("18275.75"), 1),
    ]
    return ledger_audit.letter(day, 48302, found)


@mail_sample("alert")
def payouts_parked(_settings: Settings) -> Mapping[str, Any]:
    rows = [
        (55120, "the plan has no rate for 2026-11-21"),
        (55871, "the wallet of user 90977 is closed"),
    ]
    return parking.letter(date(2026, 11, 21), date(2026, 11, 22), 48301, rows, len(rows))


@mail_sample("alert")
def health_alert(settings: Settings) -> Mapping[str, Any]:
    return system_health.facts(_news(settings, {}, 4.2), NOON)


@mail_sample("alert")
def health_recovered(settings: Settings) -> Mapping[str, Any]:
    (trouble,) = judge({CHECK: 4.2}, settings.health)
    known = {CHECK: Trouble(trouble.severity, NOON - 3 * AN_HOUR)}
    return system_health.facts(_news(settings, known, 38.0), NOON)


def _news(settings: Settings, known: Mapping[str, Trouble], free_pct: float) -> News:
    (told,) = news(known, judge({CHECK: free_pct}, settings.health), NOON)
    return told


def _payload(period: Period, previous: Period) -> dict[str, Any]:
    days = list(Period(previous.start, period.end).days())
    collected = Collected(
        sums=[found for n, day in enumerate(days) for found in _sums(n, day)],
        new_users={day: 6 + n * 5 % 7 for n, day in enumerate(days)},
        active=[Active("INR", 3120, Decimal("182450000.00"), 2204)],
    )
    return {"timezone": ZONE, **summary(collected, period, previous)}


def _sums(n: int, day: date) -> Iterator[Sum]:
    """What the n-th day brought."""
    for what, number, amount in (
        ("deposit", 14 + n * 7 % 9, 240_000 + n * 37 % 11 * 21_000),
        ("withdrawal", 5 + n % 4, 60_000 + n * 29 % 7 * 18_500),
        ("withdrawal_pending", n % 2, n % 2 * 12_000),
        ("roi", 3100 + n, 91_000 + n * 420),
        ("commission_1", 210, 4_300 + n * 31),
        ("commission_2", 96, 1_150 + n * 12),
        ("invested", 2 + n % 3, 110_000 + n * 17 % 5 * 40_000),
        ("matured", n % 2, n % 2 * 50_000),
    ):
        yield Sum(day, "INR", what, number, Decimal(amount).quantize(Decimal("0.01")))
