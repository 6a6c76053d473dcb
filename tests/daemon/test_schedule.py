"""Schedules by example: nights worked out by hand, what is refused, how schedules are written down."""

import datetime as dt
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter
from hypothesis import given
from hypothesis import strategies as st

from daemon.schedule import (
    Cron,
    Every,
    OnDemand,
    Schedule,
    daily_or_longer,
    fingerprint,
    instants,
    local_date,
    parse_fingerprint,
    phased,
    timezone_of,
    upcoming,
)

NEW_YORK = "America/New_York"


def utc(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=dt.UTC)  # type: ignore[misc,arg-type]


def local(schedule: Schedule, first: dt.datetime, last: dt.datetime) -> list[str]:
    """The instants in (first, last] as the zone's people read them."""
    tz = timezone_of(schedule)
    return [f"{i.at.astimezone(tz):%d %H:%M %Z}" for i in instants(schedule, first, last)]


def notes(schedule: Schedule, first: dt.datetime, last: dt.datetime) -> list[str | None]:
    return [i.note for i in instants(schedule, first, last)]


# Nights


def test_croniter_alone_runs_a_daily_job_twice_on_the_autumn_night() -> None:
    """The reason why the policy is ours. Should a later croniter change its mind, this says so."""
    start = dt.datetime(2026, 11, 1, tzinfo=ZoneInfo(NEW_YORK))
    alone = croniter("30 1 * * *", start, ret_type=dt.datetime)
    assert [f"{alone.get_next():%d %H:%M %Z}" for _ in range(3)] == [
        "01 01:30 EDT",
        "01 01:30 EST",
        "02 01:30 EST",
    ]
    ours = Cron("30 1 * * *", NEW_YORK)
    assert local(ours, start, start + dt.timedelta(days=2)) == ["01 01:30 EDT", "02 01:30 EST"]


def test_a_wall_clock_time_that_happens_twice_runs_at_the_first() -> None:
    night = notes(Cron("30 1 * * *", NEW_YORK), utc(2026, 11, 1), utc(2026, 11, 2))
    assert night == ["01:30 happens twice; runs at the first, EDT"]


def test_a_wall_clock_time_that_does_not_exist_runs_at_the_first_valid_instant() -> None:
    schedule, night = Cron("30 2 * * *", NEW_YORK), (utc(2026, 3, 8), utc(2026, 3, 9))
    assert local(schedule, *night) == ["08 03:00 EDT"]
    assert notes(schedule, *night) == ["02:30 does not exist on this night; runs at 03:00 EDT, the first valid instant"]


def test_two_slots_in_one_gap_merge() -> None:
    schedule, night = Cron("0,30 2 * * *", NEW_YORK), (utc(2026, 3, 8), utc(2026, 3, 9))
    assert local(schedule, *night) == ["08 03:00 EDT"]
    assert notes(schedule, *night) == [
        "02:00 and 02:30 do not exist on this night; run once at 03:00 EDT, the first valid instant"
    ]


def test_a_slot_in_a_gap_merges_with_the_one_at_its_end() -> None:
    schedule, night = Cron("0 2,3 * * *", NEW_YORK), (utc(2026, 3, 8), utc(2026, 3, 9))
    assert local(schedule, *night) == ["08 03:00 EDT"]
    assert notes(schedule, *night) == [
        "02:00 does not exist on this night; merged into the run at 03:00 EDT, the first valid instant"
    ]


def test_an_interval_job_runs_in_both_passes_and_invents_nothing_in_a_gap() -> None:
    schedule = Cron("*/30 * * * *", NEW_YORK)
    autumn = local(schedule, utc(2026, 11, 1, 4, 30), utc(2026, 11, 1, 7))
    assert autumn == ["01 01:00 EDT", "01 01:30 EDT", "01 01:00 EST", "01 01:30 EST", "01 02:00 EST"]
    spring = local(schedule, utc(2026, 3, 8, 6), utc(2026, 3, 8, 7, 30))
    assert spring == ["08 01:30 EST", "08 03:00 EDT", "08 03:30 EDT"]
    assert local(Cron("*/30 2 * * *", NEW_YORK), utc(2026, 3, 8), utc(2026, 3, 9)) == []


def test_a_shift_of_half_an_hour_is_no_special_case() -> None:
    schedule = Cron("45 1 * * *", "Australia/Lord_Howe")
    assert local(schedule, utc(2026, 4, 4), utc(2026, 4, 6)) == ["05 01:45 +11", "06 01:45 +1030"]
    gap = Cron("15 2 * * *", "Australia/Lord_Howe")
    assert local(gap, utc(2026, 10, 3), utc(2026, 10, 4)) == ["04 02:30 +11"]


def test_midnight_that_does_not_exist_runs_at_one() -> None:
    assert local(Cron("@daily", "America/Sao_Paulo"), utc(2018, 11, 4), utc(2018, 11, 5)) == ["04 01:00 -02"]
    assert local(Cron("@daily", "Africa/Cairo"), utc(2026, 4, 23, 12), utc(2026, 4, 24, 12)) == ["24 01:00 EEST"]


def test_a_monthly_job_on_a_date_that_was_skipped_still_runs_and_keeps_its_date() -> None:
    schedule = Cron("0 5 30 * *", "Pacific/Apia")
    (instant,) = instants(schedule, utc(2011, 12, 1), utc(2012, 1, 15))
    assert f"{instant.at.astimezone(timezone_of(schedule)):%Y-%m-%d %H:%M}" == "2011-12-31 00:00"
    assert instant.note is not None
    assert instant.note.startswith("2011-12-30 05:00 does not exist in Pacific/Apia; runs at 2011-12-31 00:00")
    assert local_date(schedule, instant.at) == dt.date(2011, 12, 30)


def test_a_friday_job_runs_although_friday_was_skipped() -> None:
    assert local(Cron("0 9 * * fri", "Pacific/Apia"), utc(2011, 12, 27), utc(2012, 1, 3)) == ["31 00:00 +14"]


def test_a_daily_job_keeps_one_date_for_each_instant_where_a_gap_crosses_midnight() -> None:
    schedule = Cron("30 23 * * *", "America/Nuuk")
    due = [i.at for i in instants(schedule, utc(2025, 3, 28, 12), utc(2025, 3, 31, 12))]
    assert local(schedule, utc(2025, 3, 28, 12), utc(2025, 3, 31, 12))[1] == "30 00:00 -01"
    assert [local_date(schedule, at).day for at in due] == [28, 29, 30]


def test_a_merged_run_has_the_date_that_the_calendar_shows() -> None:
    schedule = Cron("@daily", "Pacific/Apia")
    due = [i.at for i in instants(schedule, utc(2011, 12, 29), utc(2012, 1, 1))]
    assert [local_date(schedule, at).day for at in due] == [29, 31, 1]


def test_a_zone_whose_offset_has_seconds_fires_on_the_local_minute() -> None:
    """Monrovia was 44 minutes and 30 seconds behind until 1972."""
    assert local(Cron("0 12 * * *", "Africa/Monrovia"), utc(1972, 1, 5), utc(1972, 1, 8)) == [
        "05 12:00 MMT",
        "06 12:00 MMT",
        "07 12:00 GMT",
    ]


def test_a_day_that_happened_twice_runs_once() -> None:
    assert local(Cron("0 12 * * *", "Kwajalein"), utc(1969, 9, 29), utc(1969, 10, 2)) == [
        "29 12:00 +11",
        "30 12:00 +11",
        "01 12:00 -12",
    ]


# Intervals


def test_the_interval_is_open_at_its_start_and_closed_at_its_end() -> None:
    noon = utc(2026, 6, 1, 12)
    for schedule in (Cron("0 12 * * *"), Cron("0 * * * *"), Every(3_600)):
        assert list(instants(schedule, noon, noon)) == []
        assert [i.at for i in instants(schedule, noon - dt.timedelta(microseconds=1), noon)] == [noon]
        assert list(instants(schedule, noon, noon + dt.timedelta(microseconds=1))) == []


def test_seconds_are_the_sixth_field() -> None:
    schedule = Cron("0 12 * * * */20")
    got = [f"{i.at:%H:%M:%S}" for i in instants(schedule, utc(2026, 1, 1), utc(2026, 1, 2))]
    assert got == ["12:00:00", "12:00:20", "12:00:40"]


def test_instants_come_lazily_and_the_rare_ones_come_at_all() -> None:
    assert next(instants(Cron("* * * * *"), utc(2026, 1, 1), utc(2900, 1, 1))).at == utc(2026, 1, 1, 0, 1)
    leap = upcoming(Cron("*/30 0 29 2 *", NEW_YORK), utc(2026, 1, 1), 3)
    assert [i.at for i in leap] == [utc(2028, 2, 29, 5), utc(2028, 2, 29, 5, 30), utc(2032, 2, 29, 5)]


def test_on_demand_is_never_due() -> None:
    assert upcoming(OnDemand(), utc(2026, 1, 1), 3) == []


@given(
    period=st.floats(0.001, 10**7),
    phase=st.none() | st.floats(-(10**8), 10**8),
    after=st.timedeltas(dt.timedelta(days=-4_000), dt.timedelta(days=40_000)).map(utc(1970, 1, 1).__add__),
    cut=st.floats(0, 1),
)
def test_every_is_evenly_spaced_anchored_and_indifferent_to_cuts(
    period: float, phase: float | None, after: dt.datetime, cut: float
) -> None:
    schedule = Every(period, phase)
    until = after + dt.timedelta(seconds=schedule.seconds * 20)
    middle = after + (until - after) * cut
    got = [i.at for i in instants(schedule, after, until)]
    assert got == [i.at for a, b in ((after, middle), (middle, until)) for i in instants(schedule, a, b)]
    assert len(got) == 20
    assert all(after < at <= until for at in got)
    step = dt.timedelta(microseconds=round(schedule.seconds * 1_000_000))
    assert all(b - a == step for a, b in pairwise(got))
    anchor = utc(1970, 1, 1) + dt.timedelta(microseconds=round((schedule.phase or 0) * 1_000_000))
    assert (got[0] - anchor) % step == dt.timedelta(0)


def test_every_takes_a_timedelta_too() -> None:
    assert Every(dt.timedelta(minutes=5), dt.timedelta(seconds=1)) == Every(300, 1.0)


def test_a_phase_belongs_to_the_name_and_spreads_a_herd() -> None:
    herd = [phased(Every(60), f"suite.job_{n}") for n in range(1000)]
    assert herd[0] == phased(Every(60), "suite.job_0") == Every(60, 23.344435)
    seconds = {int(s.phase) for s in herd if isinstance(s, Every) and s.phase is not None}
    assert seconds == set(range(60))
    assert phased(Every(60, 7), "x") == Every(60, 7)
    assert phased(Cron("0 0 * * *"), "x") == Cron("0 0 * * *")


# Dates, names


def test_a_refused_schedule_raises_rather_than_never_firing() -> None:
    for schedule in (Cron("0 25 * * *"), Cron("0 0 * * *", "Nowhere"), Every(0), Every(float("nan"))):
        with pytest.raises(ValueError, match=r".+"):
            instants(schedule, utc(2026, 1, 1), utc(2026, 1, 2))


def test_daily_or_longer_is_what_has_one_instant_a_date() -> None:
    yes: list[Schedule] = [
        Cron("0 0 * * *"),
        Cron("@weekly"),
        Cron("@yearly"),
        Cron("5 4 * * * 30"),
        Every(86_400),
        Every(90_000),
    ]
    no: list[Schedule] = [
        Cron("0 0,12 * * *"),
        Cron("*/60 3 * * *"),
        Cron("0 0 * * * 0,30"),
        Every(86_399),
        OnDemand(),
    ]
    assert all(daily_or_longer(s) for s in yes)
    assert not any(daily_or_longer(s) for s in no)


def test_the_local_date_is_that_of_the_schedules_zone() -> None:
    evening = utc(2026, 6, 1, 20)
    assert local_date(Cron("0 0 * * *", "Asia/Kolkata"), evening) == dt.date(2026, 6, 2)
    assert local_date(Cron("* * * * *", "Asia/Kolkata"), evening) == dt.date(2026, 6, 2)
    assert local_date(Every(60), evening) == local_date(OnDemand(), evening) == dt.date(2026, 6, 1)


@pytest.mark.parametrize(
    ("schedule", "text"),
    [
        (Cron("0 0 * * *", "Asia/Kolkata"), "cron 0 0 * * * Asia/Kolkata"),
        (Cron("  @daily "), "cron 0 0 * * * UTC"),
        (Cron("0 0 * * *   30", NEW_YORK), "cron 0 0 * * * 30 America/New_York"),
        (Every(30, 12.5), "every 30 phase 12.5"),
        (Every(1 / 3), "every 0.333333"),
        (Every(1_000_000), "every 1000000"),
        (OnDemand(), "ondemand"),
    ],
)
def test_a_fingerprint_is_readable_and_reversible(schedule: Schedule, text: str) -> None:
    assert fingerprint(schedule) == text
    assert parse_fingerprint(text) == schedule


@given(st.floats(0.000_001, 10**8), st.none() | st.floats(0, 10**8))
def test_the_fingerprint_of_every_is_exact(seconds: float, phase: float | None) -> None:
    schedule = Every(seconds, phase)
    assert parse_fingerprint(fingerprint(schedule)) == schedule


@pytest.mark.parametrize("text", ["", "cron", "cron UTC", "every", "every soon", "every 5 face 3", "monthly"])
def test_what_is_no_fingerprint_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_fingerprint(text)
