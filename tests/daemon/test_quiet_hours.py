"""Quiet hours on the wall clock of a person's own zone, nights of clock changes included."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.quiet_hours import QuietHours

NIGHT = QuietHours(time(21), time(10))
NOON = QuietHours(time(12), time(14))
KOLKATA, NEW_YORK, UTC_ZONE = ZoneInfo("Asia/Kolkata"), ZoneInfo("America/New_York"), ZoneInfo("UTC")


@pytest.mark.parametrize(
    ("hours", "local", "end"),
    [
        (NIGHT, "2026-03-03 20:59:59", None),
        (NIGHT, "2026-03-03 21:00:00", "2026-03-04 10:00"),
        (NIGHT, "2026-03-03 23:59:59", "2026-03-04 10:00"),
        (NIGHT, "2026-03-04 00:00:00", "2026-03-04 10:00"),
        (NIGHT, "2026-03-04 09:59:59", "2026-03-04 10:00"),
        (NIGHT, "2026-03-04 10:00:00", None),
        (NOON, "2026-03-04 11:59:59", None),
        (NOON, "2026-03-04 12:00:00", "2026-03-04 14:00"),
        (NOON, "2026-03-04 14:00:00", None),
        (QuietHours(time(9), time(9)), "2026-03-04 09:00:00", None),
    ],
)
def test_they_wrap_over_midnight_and_hold_from_start_up_to_end(hours: QuietHours, local: str, end: str | None) -> None:
    now = datetime.fromisoformat(local).replace(tzinfo=KOLKATA)
    wanted = None if end is None else datetime.fromisoformat(end).replace(tzinfo=KOLKATA)
    assert hours.until(now.astimezone(UTC), KOLKATA) == wanted


def test_an_end_that_the_clocks_skip_is_the_first_instant_after_the_gap() -> None:
    hours = QuietHours(time(22), time(2, 30))  # 02:00 to 03:00 does not exist on that day
    now = datetime(2026, 3, 8, 1, 30, tzinfo=NEW_YORK)
    assert hours.until(now, NEW_YORK) == datetime(2026, 3, 8, 7, 0, tzinfo=UTC)


def test_an_end_in_the_hour_that_comes_twice_is_its_first_coming_and_they_do_not_begin_again() -> None:
    hours = QuietHours(time(22), time(1, 30))
    first_0129 = datetime(2026, 11, 1, 1, 29, tzinfo=NEW_YORK)
    assert hours.until(first_0129, NEW_YORK) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    second_0115 = datetime(2026, 11, 1, 1, 15, fold=1, tzinfo=NEW_YORK)
    assert hours.until(second_0115, NEW_YORK) is None


def test_a_start_in_the_hour_that_comes_twice_is_its_first_coming() -> None:
    hours = QuietHours(time(1, 30), time(5))
    second_0115 = datetime(2026, 11, 1, 1, 15, fold=1, tzinfo=NEW_YORK)
    assert hours.until(second_0115, NEW_YORK) == datetime(2026, 11, 1, 5, 0, tzinfo=NEW_YORK).astimezone(UTC)


CLOCK = st.times().map(lambda t: t.replace(second=0, microsecond=0))
INSTANT = st.integers(1_704_067_200, 1_893_456_000).map(lambda at: datetime.fromtimestamp(at, UTC))
ZONE = st.sampled_from(
    ["UTC", "Asia/Kolkata", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Europe/Dublin"]
)


@given(CLOCK, CLOCK, INSTANT, ZONE)
def test_their_end_is_near_lies_ahead_and_is_quiet_no_more(start: time, end: time, now: datetime, name: str) -> None:
    zone, hours = ZoneInfo(name), QuietHours(start, end)
    until = hours.until(now, zone)
    if until is None:
        return
    assert now < until <= now + timedelta(hours=26)
    assert hours.until(until, zone) is None
    assert hours.until(until - timedelta(seconds=1), zone) == until


@given(CLOCK, CLOCK, INSTANT)
def test_without_clock_changes_they_are_what_the_wall_clock_says(start: time, end: time, now: datetime) -> None:
    at = now.time()
    inside = start <= at < end if start <= end else not end <= at < start
    assert (QuietHours(start, end).until(now, UTC_ZONE) is not None) == inside
