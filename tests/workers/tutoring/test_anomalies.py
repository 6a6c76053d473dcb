"""Robust scores: worked out by hand, and what must hold for any figures."""

from __future__ import annotations

from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.tutoring.anomalies import LEAST_HISTORY, UNUSUAL, judged

SPREAD = [10, 11, 12, 13, 14, 15, 16, 17, 18]  # median 14, median deviation 2
figures = st.lists(st.integers(0, 10**9).map(float), min_size=LEAST_HISTORY, max_size=14)
values = st.integers(0, 10**9).map(float)


def test_the_score_is_the_one_of_the_textbook() -> None:
    found = judged(25, SPREAD)
    assert found is not None
    assert (found.baseline, found.direction, found.unusual) == (14, "high", True)
    assert found.score == pytest.approx(0.6745 * 11 / 2)


@pytest.mark.parametrize(("value", "unusual"), [(24.37, False), (24.39, True), (3.63, False), (3.61, True)])
def test_the_bound_is_three_and_a_half_in_either_direction(value: float, unusual: bool) -> None:
    found = judged(value, SPREAD)
    assert found is not None
    assert found.unusual is unusual
    assert found.direction == ("high" if value > 14 else "low")


def test_where_most_are_equal_the_mean_deviation_is_the_measure() -> None:
    found = judged(100, [50] * 13 + [64])
    assert found is not None
    assert found.score == pytest.approx(50 / (1.253314 * 1))
    assert found.unusual


@pytest.mark.parametrize(
    ("value", "same", "unusual"),
    [
        (120, 100, False),
        (121, 100, True),
        (5, 0, False),
        (6, 0, True),
        (15, 10, False),
        (16, 10, True),
        (79, 100, True),
    ],
)
def test_where_all_are_equal_a_fifth_and_five_units_are(value: float, same: float, unusual: bool) -> None:
    found = judged(value, [same] * 10)
    assert found is not None
    assert (found.score, found.unusual) == (None, unusual)


def test_seven_figures_are_too_few_to_judge_by() -> None:
    assert judged(10**6, [1.0] * (LEAST_HISTORY - 1)) is None
    assert judged(10**6, [1.0] * LEAST_HISTORY) is not None


@given(figures, values)
def test_the_order_of_the_history_does_not_matter_and_its_median_is_never_unusual(
    history: list[float], value: float
) -> None:
    assert judged(value, history) == judged(value, history[::-1])
    middle = judged(median(history), history)
    assert middle is not None
    assert (middle.unusual, middle.direction) == (False, "none")


@given(figures, values, values)
def test_what_is_farther_out_in_the_same_direction_is_no_less_unusual(
    history: list[float], one: float, other: float
) -> None:
    near, far = sorted((judged(v, history) for v in (one, other)), key=lambda j: abs(j.value - j.baseline) if j else 0)
    assert near is not None
    assert far is not None
    assert near.direction != far.direction or near.unusual <= far.unusual
    for found in (near, far):
        assert found.score is None or found.unusual == (abs(found.score) > UNUSUAL)
