"""When reminders are due on people's wall clocks: against the standard library's reading of the clock, and by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.productivity.slots import Clocks, Rule, Slot, days, instant, local, slots, unknown_zones

ODD = (
    "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Apia", "Australia/Lord_Howe", "America/St_Johns", "Europe/Zurich",
    "America/New_York", "Pacific/Chatham", "Pacific/Kiritimati", "Africa/Cairo", "UTC",
)  # fmt: skip
OWN = Clocks("UTC")
NINE = Rule(time(9), timedelta(hours=6))
TICK = timedelta(minutes=15)

zone_names = st.sampled_from(ODD)
instants = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
times = st.times().map(lambda t: t.replace(second=0, microsecond=0))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@given(zone_names, instants, times)
def test_the_first_instant_of_a_time_is_the_first_at_which_the_clock_shows_it(
    zone: str, near: datetime, of_day: time
) -> None:
    """Against a clock that is read a minute before and then."""
    clock = ZoneInfo(zone)
    day = near.astimezone(clock).date()
    arrives = instant(clock, day, of_day)
    wanted = datetime.combine(day, of_day)
    assert arrives.astimezone(clock).replace(tzinfo=None) >= wanted
    assert (arrives - timedelta(minutes=1)).astimezone(clock).replace(tzinfo=None) < wanted


@given(zone_names, instants, times, st.integers(1, 40))
def test_ticks_serve_every_date_of_a_zone_once_and_within_a_tick(
    zone: str, start: datetime, of_day: time, hours: int
) -> None:
    """However many slots there are, whichever hour the clocks skip or repeat."""
    rule, last, served = Rule(of_day, timedelta(hours=6)), None, []
    begin = start.replace(minute=0, second=0, microsecond=0)
    for n in range(hours * 4):
        now = begin + n * TICK
        for slot in slots(rule, {zone: last}, OWN, now):
            if slot.again:
                continue
            assert slot.skipped is None
            assert last is None or slot.date > last
            assert timedelta(0) <= now - slot.due_at < (TICK if last is not None else rule.window)
            last = slot.date
            served.append(slot.date)
    clock, end = ZoneInfo(zone), begin + (hours * 4 - 1) * TICK
    due = [d for d in (begin.astimezone(clock).date() + timedelta(days=n) for n in range(-2, 4))
           if begin - rule.window < instant(clock, d, of_day) <= end]  # fmt: skip
    assert served == due


@given(zone_names, instants, st.integers(1, 30))
def test_after_downtime_every_date_is_accounted_for_and_only_the_one_in_its_window_is_served(
    zone: str, now: datetime, away: int
) -> None:
    last = now.astimezone(ZoneInfo(zone)).date() - timedelta(days=away)
    found = [slot for slot in slots(NINE, {zone: last}, OWN, now) if not slot.again]
    assert [slot.date for slot in found] == [last + timedelta(days=n + 1) for n in range(len(found))]
    for slot in found:
        assert (slot.skipped is None) == (now - slot.due_at < NINE.window)
    assert instant(ZoneInfo(zone), last + timedelta(days=len(found) + 1), time(9)) > now


def test_every_offset_is_served_at_nine_of_its_own_clock() -> None:
    now = {
        "Asia/Kolkata": at("2026-11-26T03:30"), "Asia/Kathmandu": at("2026-11-26T03:15"),
        "America/St_Johns": at("2026-11-26T12:30"), "Pacific/Chatham": at("2026-11-25T19:15"),
    }  # fmt: skip
    for zone, due in now.items():
        (slot,) = slots(NINE, {zone: date(2026, 11, 25)}, OWN, due)
        assert (slot.date, slot.due_at, local(ZoneInfo(zone), due).time()) == (date(2026, 11, 26), due, time(9))
        assert all(s.again for s in slots(NINE, {zone: date(2026, 11, 25)}, OWN, due - TICK))


def test_a_time_that_the_clocks_skip_comes_after_the_gap_and_one_that_they_repeat_comes_once() -> None:
    rule, zurich = Rule(time(2, 30), timedelta(hours=6)), ZoneInfo("Europe/Zurich")
    assert instant(zurich, date(2026, 3, 29), rule.at) == at("2026-03-29T01:00")
    assert instant(zurich, date(2026, 10, 25), rule.at) == at("2026-10-25T00:30")
    second_pass = slots(rule, {"Europe/Zurich": date(2026, 10, 25)}, OWN, at("2026-10-25T01:30"))
    assert [slot.again for slot in second_pass] == [True]


def test_a_date_that_samoa_left_out_has_no_reminder_and_says_so() -> None:
    found = slots(NINE, {"Pacific/Apia": date(2011, 12, 29)}, OWN, at("2011-12-30T19:00"))
    assert [(slot.date, slot.skipped) for slot in found] == [
        (date(2011, 12, 30), "Pacific/Apia has no 2011-12-30"), (date(2011, 12, 31), None),
    ]  # fmt: skip
    hour_later = at("2011-12-30T11:00")  # 01:00 of the 31st: the date that there is not was noted
    assert slots(NINE, {"Pacific/Apia": date(2011, 12, 30)}, OWN, hour_later) == []


def test_one_zone_for_everybody_is_the_same_rule_on_one_clock() -> None:
    zurich = Clocks("UTC", one="Europe/Zurich")
    found = slots(NINE, dict.fromkeys(ODD, date(2026, 11, 25)), zurich, at("2026-11-26T08:00"))
    assert {slot.zone for slot in found} == set(ODD)
    assert {(slot.date, slot.due_at) for slot in found} == {(date(2026, 11, 26), at("2026-11-26T08:00"))}


def test_a_zone_that_does_not_exist_is_served_by_the_default_clock() -> None:
    wrong = ["Mars/Olympus", "", "../etc/passwd", "America", "\x00", "europe/zurich-"]
    assert unknown_zones([*wrong, "UTC"], OWN) == wrong
    found = slots(NINE, dict.fromkeys(wrong), Clocks("Asia/Tokyo"), at("2026-11-26T00:00"))
    assert [(slot.zone, slot.clock.key) for slot in found] == [(zone, "Asia/Tokyo") for zone in wrong]


@pytest.mark.parametrize(
    ("rule", "dates"),
    [
        (Rule(time(19), timedelta(hours=6), isoweekday=7), [date(2026, 11, 22)]),
        (Rule(time(9), timedelta(hours=6), month_day=1), [date(2026, 11, 1)]),
    ],
)
def test_weekly_and_monthly_rules_fall_on_their_days_only(rule: Rule, dates: list[date]) -> None:
    found = slots(rule, {"Europe/Zurich": date(2026, 10, 31)}, OWN, at("2026-11-22T20:00"))
    assert [slot.date for slot in found if slot.date >= date(2026, 11, 22) or rule.month_day] == dates


def test_a_new_zone_has_no_past() -> None:
    found = slots(NINE, {"UTC": None}, OWN, at("2026-11-26T14:59"))
    assert [slot.date for slot in found] == [date(2026, 11, 26)]
    assert slots(NINE, {"UTC": None}, OWN, at("2026-11-26T15:00")) == []


def test_a_slot_that_was_served_comes_again_for_its_window_for_those_who_move() -> None:
    (slot,) = slots(NINE, {"UTC": date(2026, 11, 26)}, OWN, at("2026-11-26T14:45"))
    assert slot == Slot("UTC", ZoneInfo("UTC"), date(2026, 11, 26), at("2026-11-26T09:00"), None, again=True)


def test_days_meet_and_are_as_long_as_the_clocks_make_them() -> None:
    zurich = days(ZoneInfo("Europe/Zurich"), date(2026, 10, 24), 3)
    assert [(end - start).total_seconds() / 3600 for _, start, end in zurich] == [24, 25, 24]
    assert zurich[0][2] == zurich[1][1]
