"""When a day comes to so much more than the days before it that a person should look first."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.investment.control_total import FEWEST_DAYS, excess

TWO = Decimal(2)
Total = tuple[date, str, Decimal]


def days(*amounts: int, currency: str = "INR", first: int = 1) -> list[Total]:
    return [(date(2026, 3, first) + timedelta(days=n), currency, Decimal(amount)) for n, amount in enumerate(amounts)]


def test_exactly_the_factor_is_paid_and_a_paisa_more_is_held() -> None:
    earlier = days(90, 100, 110)
    assert excess({"INR": Decimal("200.00")}, earlier, TWO) is None
    assert excess({"INR": Decimal("200.01")}, earlier, TWO) == (
        "200.01 INR is more than 2 times the usual 100.00 of 3 days"
    )


def test_one_wild_day_does_not_move_what_is_usual() -> None:
    assert excess({"INR": Decimal(201)}, days(100, 100, 100_000, 100, 100), TWO) is not None


@pytest.mark.parametrize("known", range(FEWEST_DAYS))
def test_too_few_days_say_nothing(known: int) -> None:
    assert excess({"INR": Decimal(10**9)}, days(*[1] * known), TWO) is None


def test_each_currency_is_compared_with_itself() -> None:
    earlier = [*days(100, 100, 100), *days(1, 1, 1, currency="USD")]
    assert excess({"INR": Decimal(200), "USD": Decimal(2)}, earlier, TWO) is None
    assert excess({"INR": Decimal(300), "USD": Decimal(3)}, earlier, TWO) == (
        "300 INR is more than 2 times the usual 100.00 of 3 days; 3 USD is more than 2 times the usual 1.00 of 3 days"
    )


def test_a_new_currency_is_not_held_for_being_new() -> None:
    assert excess({"USD": Decimal(100)}, days(100, 100, 100), TWO) is None


def test_days_on_which_a_known_currency_paid_nothing_count_as_zero() -> None:
    earlier = [*days(100, 100, 100, 100), *days(50, currency="USD")]
    assert excess({"USD": Decimal(1)}, earlier, TWO) == "1 USD is more than 2 times the usual 0.00 of 4 days"


def test_a_day_of_less_or_of_nothing_is_never_held() -> None:
    assert excess({"INR": Decimal(0)}, days(100, 100, 100), TWO) is None
    assert excess({}, days(100, 100, 100), TWO) is None


@given(st.lists(st.integers(1, 10**6), min_size=FEWEST_DAYS, max_size=14), st.integers(1, 10**7), st.integers(2, 9))
def test_held_just_when_it_is_more_than_the_factor_times_the_middle(
    amounts: list[int], total: int, factor: int
) -> None:
    ordered, half = sorted(amounts), len(amounts) // 2
    middle = Decimal(ordered[half] + ordered[~half]) / 2
    held = excess({"INR": Decimal(total)}, days(*amounts), Decimal(factor)) is not None
    assert held == (total > factor * middle)
