"""The instants of a row that stands for several, each where it was due."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from daemon import schedule
from daemon.admin.dashboard.spans import MOST_NAMED, Span, by_day, by_slot, instants
from daemon.schedule import Cron, Every, OnDemand, Schedule

FRIDAY = datetime(2026, 11, 20, 6, tzinfo=UTC)
WORKDAYS = Cron("0 6 * * mon-fri")
MOMENTS = st.integers(0, 300 * 86400).map(lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))


def test_no_instant_of_working_days_is_on_a_weekend() -> None:
    span = Span(FRIDAY, FRIDAY + timedelta(days=4), 3)
    assert by_day(WORKDAYS, span, ZoneInfo("UTC")) == (
        (date(2026, 11, 20), 1), (date(2026, 11, 23), 1), (date(2026, 11, 24), 1)
    )  # fmt: skip


def test_a_day_is_one_of_the_zone_of_the_job() -> None:
    evening = datetime(2026, 11, 20, 20, tzinfo=UTC)
    assert by_day(OnDemand(), Span(evening, evening, 1), ZoneInfo("Asia/Kolkata")) == ((date(2026, 11, 21), 1),)


def test_under_a_schedule_that_has_changed_since_they_are_at_even_distances() -> None:
    hourly = Span(FRIDAY, FRIDAY + timedelta(hours=9), 10)
    assert instants(WORKDAYS, hourly) == [FRIDAY + timedelta(hours=n) for n in range(10)]


def test_what_was_due_before_the_first_slot_is_in_none() -> None:
    hourly = Span(FRIDAY, FRIDAY + timedelta(hours=9), 10)
    found = by_slot(Cron("0 * * * *"), hourly, FRIDAY + timedelta(hours=7), timedelta(minutes=30))
    assert found == ((0, 1), (2, 1), (4, 1))


@given(st.sampled_from([WORKDAYS, Cron("*/7 * * * *"), Every(90, 13)]), MOMENTS, st.integers(2, 300))
def test_a_span_has_the_instants_that_its_schedule_names(when: Schedule, after: datetime, count: int) -> None:
    named = [instant.at for instant in schedule.upcoming(when, after, count)]
    assert instants(when, Span(named[0], named[-1], count)) == named


@given(MOMENTS, st.timedeltas(timedelta(seconds=1), timedelta(days=90)), st.integers(2, 50 * MOST_NAMED))
def test_none_gets_lost_and_both_ends_are_shown(begin: datetime, length: timedelta, count: int) -> None:
    span = Span(begin, begin + length, count)
    found = dict(by_day(OnDemand(), span, ZoneInfo("UTC")))
    assert {begin.date(), (begin + length).date()} <= found.keys()
    assert abs(sum(found.values()) - count) <= len(found)
