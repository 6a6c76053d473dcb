"""Axes: round numbers around all that there is, and a few dates."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.admin.reports import scale
from daemon.report import Unit

VALUES = st.lists(
    st.one_of(
        st.floats(-1e12, 1e12, allow_subnormal=False).filter(lambda v: v == 0 or abs(v) > 1e-6),
        st.decimals(-(10**9), 10**9, places=4),
    ), max_size=20,
)  # fmt: skip


@given(VALUES, st.sampled_from([Unit.NUMBER, Unit.COUNT, Unit.SHARE, Unit.MONEY]))
def test_an_axis_holds_zero_and_every_value_within_few_round_lines(values: list[float | Decimal], unit: Unit) -> None:
    axis, ticks = scale.fitting(values, unit)
    assert axis.low <= 0 <= axis.high
    assert axis.low < axis.high
    assert all(-1e-6 <= axis.y(value) <= 100 + 1e-6 for value in [0, *values])
    assert 2 <= len(ticks) <= 6
    assert [tick.at for tick in ticks] == sorted((tick.at for tick in ticks), reverse=True)
    assert (ticks[0].at, ticks[-1].at) == (100.0, 0.0)
    assert len({tick.text for tick in ticks}) == len(ticks)


@given(st.lists(st.integers(0, 12), max_size=5))
def test_what_is_counted_has_whole_numbers_at_its_lines(values: list[int]) -> None:
    _, ticks = scale.fitting(values, Unit.COUNT)
    assert all(tick.text.isdigit() for tick in ticks)


@given(st.lists(st.floats(0.01, 1e9), min_size=2, max_size=2, unique=True))
def test_more_is_higher(values: list[float]) -> None:
    axis, _ = scale.fitting(values, Unit.NUMBER)
    low, high = sorted(values)
    assert axis.y(low) >= axis.y(high)


@given(st.sets(st.dates(date(2000, 1, 1), date(2030, 1, 1)), min_size=1, max_size=60))
def test_dates_stand_in_their_order_and_few_are_named(found: set[date]) -> None:
    instants = sorted(found)
    axis = scale.times(instants)
    where = [axis.x(at) for at in instants]
    assert all(0 < at < 100 for at in where)
    assert where == sorted(where)
    assert len(set(where)) == len(where) or len(instants) > 1
    ticks = scale.date_ticks(instants, Unit.DAY, where)
    assert 1 <= len(ticks) <= scale.MOST_DATES
    assert ticks[0].at == where[0]
    assert ticks[-1].at == where[-1]


def test_an_instant_stands_between_its_midnights() -> None:
    days = [datetime(2026, 11, 1, tzinfo=UTC) + timedelta(hours=n) for n in (0, 12, 24)]
    assert scale.times(days).x(days[1]) == 50.0


@pytest.mark.parametrize(
    ("value", "unit", "step", "text"),
    [
        (1_250_000, Unit.COUNT, 250_000, "1.25 M"), (0.4, Unit.SHARE, 0.1, "40 %"), (0.005, Unit.SHARE, 0.005, "0.5 %"),
        (750e6, Unit.BYTES, 250e6, "750 MB"), (0, Unit.BYTES, 1, "0 B"), (120, Unit.SECONDS, 60, "2 min"),
        (0, Unit.SECONDS, 60, "0"), (1500, Unit.MILLISECONDS, 500, "1.5 k ms"), (2.5, Unit.NUMBER, 0.5, "2.5"),
    ],
)  # fmt: skip
def test_a_line_says_its_value_shortly(value: float, unit: Unit, step: float, text: str) -> None:
    assert scale.said(value, unit, step) == text


def test_years_are_named_where_there_are_several() -> None:
    instants = [date(2025, 11, 22), date(2026, 11, 22)]
    assert [tick.text for tick in scale.date_ticks(instants, Unit.DAY, [1.5, 98.5])] == ["22 Nov 2025", "22 Nov 2026"]
    assert [tick.text for tick in scale.date_ticks(instants[:1], Unit.DAY, [50])] == ["22 Nov"]
    assert [tick.text for tick in scale.date_ticks(instants[:1], Unit.MONTH, [50])] == ["Nov 2025"]
