"""What every report says of a period: people, money by currency, days. Pure: sums in, JSON-ready values out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from workers.investment.figures import ZERO, Money, growth_pct, revenue_of, text_or_none
from workers.investment.period import Period

LEVELS = range(1, 6)
DAILY = ("deposit", "withdrawal", "roi", "invested")


@dataclass(frozen=True, slots=True)
class Sum:
    """So many of a kind on one local day in one currency, and what they come to.

    `what`: deposit, withdrawal, either with _pending, roi, commission_1 … commission_5, invested, matured.
    """

    day: date
    currency: str
    what: str
    number: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Active:
    """The investments of one currency that are active when the report is made."""

    currency: str
    number: int
    amount: Decimal
    investors: int


@dataclass(frozen=True, slots=True)
class Collected:
    """All that is known of a period and of the one before it. `new_users` by day."""

    sums: Sequence[Sum]
    new_users: Mapping[date, int]
    active: Sequence[Active] = field(default=())

    def total(self, period: Period, currency: str, *whats: str) -> tuple[int, Decimal]:
        found = [
            s for s in self.sums
            if s.currency == currency and s.what in whats and period.start <= s.day < period.end
        ]  # fmt: skip
        return sum(s.number for s in found), sum((s.amount for s in found), ZERO)

    def users(self, period: Period) -> int:
        return sum(number for day, number in self.new_users.items() if period.start <= day < period.end)

    def currencies(self) -> list[str]:
        return sorted({s.currency for s in self.sums} | {a.currency for a in self.active})


def summary(collected: Collected, period: Period, previous: Period) -> dict[str, Any]:
    """Amounts are text, because JSON numbers are not money; days are ISO dates, `until` the last of them."""
    days = list(period.days())
    return {
        "from": period.start.isoformat(),
        "until": days[-1].isoformat(),
        "users": {
            "new": collected.users(period),
            "new_before": collected.users(previous),
            "growth_pct": text_or_none(growth_pct(collected.users(period), collected.users(previous))),
        },
        "currencies": {c: currency_summary(collected, c, period, previous) for c in collected.currencies()},
        "days": [day_summary(collected, day) for day in days],
    }


def currency_summary(collected: Collected, currency: str, period: Period, previous: Period) -> dict[str, Any]:
    opened, invested = collected.total(period, currency, "invested")
    _, invested_before = collected.total(previous, currency, "invested")
    pending, pending_amount = collected.total(period, currency, "withdrawal_pending")
    active = next((a for a in collected.active if a.currency == currency), Active(currency, 0, ZERO, 0))
    return {
        **revenue_of(money(collected, period, currency), money(collected, previous, currency)),
        "commission_by_level": {str(n): str(collected.total(period, currency, f"commission_{n}")[1]) for n in LEVELS},
        "distributions": collected.total(period, currency, "roi")[0],
        "deposits_made": collected.total(period, currency, "deposit")[0],
        "withdrawals_made": collected.total(period, currency, "withdrawal")[0],
        "withdrawals_pending": pending,
        "withdrawals_pending_amount": str(pending_amount),
        "opened": opened,
        "invested": str(invested),
        "invested_before": str(invested_before),
        "invested_growth_pct": text_or_none(growth_pct(invested, invested_before)),
        "matured": collected.total(period, currency, "matured")[0],
        "active": active.number,
        "active_principal": str(active.amount),
        "active_investors": active.investors,
    }


def money(collected: Collected, period: Period, currency: str) -> Money:
    return Money(
        deposits=collected.total(period, currency, "deposit")[1],
        roi=collected.total(period, currency, "roi")[1],
        commission=collected.total(period, currency, *(f"commission_{n}" for n in LEVELS))[1],
        withdrawals=collected.total(period, currency, "withdrawal")[1],
    )


def day_summary(collected: Collected, day: date) -> dict[str, Any]:
    of_day: dict[str, dict[str, str]] = {what: {} for what in DAILY}
    for found in collected.sums:
        if found.day == day and found.what in of_day:
            of_day[found.what][found.currency] = str(found.amount)
    return {"day": day.isoformat(), "new_users": collected.new_users.get(day, 0), **of_day}
