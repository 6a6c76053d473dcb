"""What reports say, worked out from sums: growth, revenue, shares. Pure; amounts are Decimal, two places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

ZERO = Decimal("0.00")
HUNDREDTH = Decimal("0.01")


def growth_pct(current: Decimal | int, previous: Decimal | int) -> Decimal | None:
    """(current − previous) / previous in percent, two places, half up. None where there was nothing before,
    or less: growth from nothing, or from a loss, is no number."""
    if previous <= 0:
        return None
    return (100 * (Decimal(current) - Decimal(previous)) / Decimal(previous)).quantize(HUNDREDTH, ROUND_HALF_UP)


def share_pct(part: Decimal, whole: Decimal) -> Decimal | None:
    """`part` in percent of `whole`, two places, half up; None of nothing."""
    return (100 * part / whole).quantize(HUNDREDTH, ROUND_HALF_UP) if whole else None


@dataclass(frozen=True, slots=True)
class Money:
    """What one currency did in a period. Withdrawals are a positive amount."""

    deposits: Decimal = ZERO
    roi: Decimal = ZERO
    commission: Decimal = ZERO
    withdrawals: Decimal = ZERO

    @property
    def revenue(self) -> Decimal:
        return self.deposits - (self.roi + self.commission + self.withdrawals)


def revenue_of(current: Money, previous: Money) -> dict[str, str | None]:
    """Every part of the revenue shown by itself, with its growth; amounts as text, for JSON."""
    shown: dict[str, str | None] = {}
    for name in ("deposits", "roi", "commission", "withdrawals", "revenue"):
        now, before = getattr(current, name), getattr(previous, name)
        shown[name] = str(now)
        shown[f"{name}_before"] = str(before)
        shown[f"{name}_growth_pct"] = text_or_none(growth_pct(now, before))
    return shown


def text_or_none(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


@dataclass(frozen=True, slots=True)
class PlanSum:
    """What was invested in one plan, in one currency, in a period."""

    plan_id: int
    name: str
    currency: str
    investments: int
    invested: Decimal


def top_plans(plans: Iterable[PlanSum], most: int) -> dict[str, list[PlanSum]]:
    """By currency the plans with the largest sums, a tie by the smaller id: two currencies have no common order."""
    ranked: dict[str, list[PlanSum]] = {}
    for plan in sorted(plans, key=lambda p: (p.currency, -p.invested, p.plan_id)):
        ranked.setdefault(plan.currency, []).append(plan)
    return {currency: found[:most] for currency, found in ranked.items()}


def by_day(days: Sequence[date], values: Mapping[date, Decimal | int]) -> list[Decimal | int]:
    """A series without gaps: days of which nothing is known count zero."""
    return [values.get(day, 0) for day in days]
