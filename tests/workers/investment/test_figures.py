"""Growth, revenue, ranks: worked out by hand beside the rule."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.investment.figures import Money, PlanSum, by_day, growth_pct, revenue_of, share_pct, top_plans


@pytest.mark.parametrize(
    ("current", "previous", "growth"),
    [
        (12, 10, "20.00"),
        (10, 12, "-16.67"),
        (0, 5, "-100.00"),
        (5, 0, None),
        (0, 0, None),
        (Decimal("1000.05"), Decimal("1000.00"), "0.01"),  # 0.005 % exactly: half up
        (Decimal("999.95"), Decimal("1000.00"), "-0.01"),
        (7, 7, "0.00"),
    ],
)
def test_growth_is_in_percent_of_before_and_nothing_from_nothing(
    current: Decimal | int, previous: Decimal | int, growth: str | None
) -> None:
    assert growth_pct(current, previous) == (None if growth is None else Decimal(growth))


def test_revenue_is_deposits_less_everything_that_went_out() -> None:
    now = Money(
        deposits=Decimal("1000.00"), roi=Decimal("120.50"), commission=Decimal("25.31"), withdrawals=Decimal("300.00")
    )
    assert now.revenue == Decimal("554.19")
    shown = revenue_of(now, Money(deposits=Decimal("800.00")))
    assert shown["revenue"] == "554.19"
    assert shown["revenue_before"] == "800.00"
    assert shown["revenue_growth_pct"] == "-30.73"
    assert shown["roi_growth_pct"] is None
    assert shown["deposits_growth_pct"] == "25.00"


def test_plans_are_ranked_by_sum_and_ties_by_the_smaller_id() -> None:
    plans = [
        PlanSum(3, "gold", "INR", 1, Decimal("500.00")),
        PlanSum(1, "tin", "INR", 9, Decimal("500.00")),
        PlanSum(2, "silver", "INR", 1, Decimal("900.00")),
        PlanSum(4, "lead", "INR", 1, Decimal("1.00")),
        PlanSum(4, "lead", "USD", 1, Decimal("2.00")),
    ]
    ranked = top_plans(plans, 3)
    assert [p.plan_id for p in ranked["INR"]] == [2, 1, 3]
    assert [p.plan_id for p in ranked["USD"]] == [4]


def test_a_day_without_figures_counts_zero() -> None:
    days = [date(2026, 2, 28), date(2026, 3, 1)]
    assert by_day(days, {date(2026, 3, 1): Decimal("2.00")}) == [0, Decimal("2.00")]


amounts = st.decimals(min_value=0, max_value=10**12, places=2)


@given(amounts, amounts, amounts, amounts)
def test_the_parts_of_the_revenue_add_up_to_the_cent(a: Decimal, b: Decimal, c: Decimal, d: Decimal) -> None:
    money = Money(a, b, c, d)
    assert money.revenue + money.roi + money.commission + money.withdrawals == money.deposits


@given(st.lists(amounts.filter(bool), min_size=1, max_size=20))
def test_shares_of_a_whole_add_up_to_a_hundred_but_for_rounding(parts: list[Decimal]) -> None:
    shares = [share_pct(part, sum(parts, Decimal(0))) for part in parts]
    total = sum((s for s in shares if s is not None), Decimal(0))
    assert abs(total - 100) <= Decimal("0.005") * len(parts)
