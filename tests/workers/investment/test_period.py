"""Weeks end before Sunday, months before their first; both are whole days of the suite's zone."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.investment.period import Period, last_month, last_week, month_before, week_before

dates = st.dates(date(1990, 1, 1), date(2100, 1, 1))


def test_on_sunday_the_week_is_the_seven_days_before() -> None:
    assert last_week(date(2026, 11, 22)) == Period(date(2026, 11, 15), date(2026, 11, 22))


@pytest.mark.parametrize("day", [date(2026, 11, 23), date(2026, 11, 28)])
def test_on_other_days_it_is_the_week_that_ended_with_the_newest_sunday(day: date) -> None:
    assert last_week(day) == Period(date(2026, 11, 15), date(2026, 11, 22))


@pytest.mark.parametrize(
    ("day", "start", "end"),
    [
        (date(2026, 12, 1), date(2026, 11, 1), date(2026, 12, 1)),
        (date(2026, 1, 1), date(2025, 12, 1), date(2026, 1, 1)),
        (date(2028, 3, 1), date(2028, 2, 1), date(2028, 3, 1)),
        (date(2026, 11, 22), date(2026, 10, 1), date(2026, 11, 1)),
    ],
)
def test_a_month_is_the_calendar_month_before(day: date, start: date, end: date) -> None:
    assert last_month(day) == Period(start, end)


def test_february_of_a_leap_year_has_29_days() -> None:
    assert len(list(last_month(date(2028, 3, 1)).days())) == 29


def test_a_period_begins_and_ends_at_local_midnight() -> None:
    begin, end = last_week(date(2026, 11, 22)).instants(ZoneInfo("Asia/Kolkata"))
    assert begin == datetime(2026, 11, 14, 18, 30, tzinfo=UTC)
    assert end == datetime(2026, 11, 21, 18, 30, tzinfo=UTC)


@given(dates)
def test_periods_follow_one_another_without_gap_or_overlap(day: date) -> None:
    week, month = last_week(day), last_month(day)
    assert len(list(week.days())) == 7
    assert week.end <= day
    assert month.end <= day
    assert week_before(week).end == week.start
    assert month_before(month).end == month.start
    assert next(iter(month.days())).day == 1
    assert (list(month.days())[-1].month, list(month.days())[-1].year) == (month.start.month, month.start.year)
