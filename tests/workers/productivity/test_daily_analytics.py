"""A day's figures: against plain Python over small worlds in odd zones, and by hand where data is bad."""

from __future__ import annotations

import random
import string
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.testing import perform
from tests.workers.productivity.calendar_reference import Calendar, active_between, activity, retained
from tests.workers.productivity.platform import Person, Platform, Session, at
from workers.productivity.daily_analytics import daily_analytics
from workers.productivity.settings import Settings

DAY = date(2026, 11, 25)
RUN = at("2026-11-26T01:00")
ONE_DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
ZONES = (
    "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns", "Europe/Zurich", "America/New_York",
    "Pacific/Chatham", "Pacific/Kiritimati", "Pacific/Apia", "UTC",
)  # fmt: skip
NIGHTS = (date(2026, 3, 29), date(2026, 10, 25), date(2026, 11, 1), date(2011, 12, 30), DAY)
"""On which clocks go forward and back in Zurich, back in New York, and Samoa left a date out; and an ordinary one."""


@st.composite
def worlds(draw: st.DrawFn) -> tuple[date, list[Person], list[Session]]:
    """Eight people and what they did in the last days before noon of the day after one."""
    day = draw(st.sampled_from(NIGHTS))
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC) + ONE_DAY
    minute = st.integers(-60 * 90, -1).map(lambda n: noon + n * MINUTE)
    people = []
    for id_ in range(1, 9):
        moves = sorted(draw(st.sets(minute, max_size=2)))
        homes = draw(st.lists(st.sampled_from(ZONES), min_size=len(moves) + 1, max_size=len(moves) + 1, unique=True))
        created = noon - timedelta(days=draw(st.integers(1, 5)), seconds=30)
        people.append(Person(id_, homes[-1], created, tuple(zip(moves, homes, strict=False))))
    length = st.one_of(st.none(), st.integers(-90, 60 * 30))
    drawn = st.tuples(st.integers(1, 8), minute, length, st.sampled_from(("FOCUS", "FOCUS", "FOCUS", "BREAK")),
                      st.sampled_from((None, "pomodoro", "stopwatch")))  # fmt: skip
    sessions = [
        Session(user, start, None if took is None else start + took * MINUTE, kind, feature)
        for user, start, took, kind, feature in draw(st.lists(drawn, min_size=10, max_size=40))
    ]
    return day, people, sessions


@given(worlds())
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
async def test_days_people_and_cohorts_are_those_of_plain_python(
    platform: Platform, world: tuple[date, list[Person], list[Session]]
) -> None:
    """Sessions that overlap, cross midnights, were forgotten or are backwards; people who move while they focus."""
    day, people, sessions = world
    await platform.cleared()
    await platform.people(*people)
    await platform.sessions(sessions)
    now = datetime(day.year, day.month, day.day, 12, tzinfo=UTC) + ONE_DAY
    await platform.run(daily_analytics, now - timedelta(hours=11), now=now)

    days = [day - n * ONE_DAY for n in range(5)][::-1]
    expected = activity(people, sessions, days, now)
    assert {key: told for key, told in (await platform.activity()).items() if key[1] in days} == expected
    figures = await platform.figures(day)
    assert (figures["dau"], figures["wau"], figures["mau"]) == tuple(
        active_between(expected, day - (n - 1) * ONE_DAY, day) for n in (1, 4, 4)
    )
    signed_up = {p.id: Calendar(p, now - 8 * ONE_DAY, 60 * 24 * 8)(p.created) for p in people}
    for cohort, n, size, kept in await platform.rows(
        "SELECT cohort_day, n, size, retained FROM productivity.retention"
    ):
        assert (size, kept) == retained(expected, signed_up, cohort, n)
    assert figures["new_users"] == list(signed_up.values()).count(day)


async def test_an_empty_platform_has_days_of_zeros_and_no_ratios(platform: Platform) -> None:
    result = await platform.run(daily_analytics, RUN)
    assert (result["day"], result["days"], result["complete_through"], result["anomalies"]) == (
        "2026-11-25", 3, "2026-11-25", 0)  # fmt: skip
    figures = await platform.figures(DAY)
    assert {name for name, value in figures.items() if value is None} == {
        "stickiness", "stickiness_of_30_days", "session_minutes_median", "session_minutes_p90", "goal_completion_rate",
        "goals_overdue_share", "goal_lead_hours_median",
    }  # fmt: skip
    assert {value for name, value in figures.items() if name != "is_complete"} == {None, Decimal(0)}
    assert await platform.rows("SELECT * FROM productivity.retention") == []


async def test_a_session_over_midnight_counts_ten_minutes_before_and_twenty_after(platform: Platform) -> None:
    await platform.people(Person(1, "Asia/Kathmandu"))
    await platform.focused(1, ("2026-11-24T18:05", "2026-11-24T18:35"), feature="pomodoro")
    await platform.run(daily_analytics, RUN)
    assert await platform.activity() == {
        (1, date(2026, 11, 24)): (1, 600, {"pomodoro": 1}), (1, DAY): (1, 1200, {"pomodoro": 1}),
    }  # fmt: skip


async def test_sessions_that_are_forgotten_backwards_or_of_thirty_hours_count_what_they_may_and_are_told(
    platform: Platform,
) -> None:
    await platform.people(*(Person(id_) for id_ in range(1, 5)))
    await platform.focused(1, ("2026-11-24T00:00", None))
    await platform.focused(2, ("2026-11-24T12:00", "2026-11-24T11:00"), ("2026-11-24T12:00", "2026-11-24T12:00"))
    await platform.focused(3, ("2026-11-24T12:00", "2026-11-25T18:00"))
    await platform.focused(4, ("2026-11-26T00:30", None), ("2026-12-31T00:00", None))  # runs; and from a wrong clock
    await platform.run(daily_analytics, RUN)
    hour = 3600
    assert await platform.activity() == {
        (1, date(2026, 11, 24)): (1, 16 * hour, {}),
        (3, date(2026, 11, 24)): (1, 12 * hour, {}), (3, DAY): (1, 4 * hour, {}),
    }  # fmt: skip
    figures = await platform.figures(date(2026, 11, 24))
    told = ("sessions", "sessions_without_end", "sessions_too_long", "sessions_backwards")
    assert [figures[name] for name in told] == [2, 1, 1, 2]
    assert (figures["session_minutes_median"], figures["session_minutes_p90"]) == (960, 960)


async def test_who_changed_zone_has_every_minute_on_one_day_and_an_unknown_zone_is_the_default_one(
    platform: Platform, caplog: pytest.LogCaptureFixture
) -> None:
    """1 flies from Kiritimati to New York at noon UTC, nineteen hours back, and focuses around it."""
    await platform.people(
        Person(1, "America/New_York", left=((at("2026-11-24T12:00"), "Pacific/Kiritimati"),)), Person(2, "Mars/Olympus")
    )
    await platform.focused(1, ("2026-11-24T11:00", "2026-11-24T13:00"))
    await platform.focused(2, ("2026-11-24T23:30", "2026-11-25T00:30"))
    await platform.run(daily_analytics, RUN)
    assert await platform.activity() == {
        (1, DAY): (1, 7200, {}), (2, date(2026, 11, 24)): (1, 1800, {}), (2, DAY): (1, 1800, {}),
    }  # fmt: skip
    assert ["Mars/Olympus" in r.getMessage() for r in caplog.records if r.levelname == "WARNING"] == [True]


async def test_a_day_is_provisional_until_it_is_over_in_every_zone(platform: Platform) -> None:
    await platform.people(
        Person(1, "America/New_York", at("2026-11-23T17:00")), Person(2, created=at("2026-11-24T01:00"))
    )
    await platform.focused(1, ("2026-11-25T15:00", "2026-11-25T16:00"))
    result = await platform.run(daily_analytics, RUN)
    assert (result["complete_through"], (await platform.figures(DAY))["is_complete"]) == ("2026-11-24", 0)
    rate = "SELECT rate FROM productivity.retention WHERE cohort_day = '2026-11-24' AND n = 1"
    assert await platform.rows(rate) == [(None,)]
    await platform.focused(2, ("2026-11-25T15:00", "2026-11-25T16:00"))  # arrives late
    await platform.run(daily_analytics, RUN + ONE_DAY)
    assert ((await platform.figures(DAY))["dau"], await platform.rows(rate)) == (2, [(Decimal(1),)])


async def test_what_is_written_late_is_counted_within_three_days_and_beyond_by_hand(platform: Platform) -> None:
    await platform.people(Person(1))
    await platform.run(daily_analytics, RUN)
    await platform.focused(1, ("2026-11-23T09:00", "2026-11-23T10:00"), ("2026-11-18T09:00", "2026-11-18T10:00"))
    await platform.run(daily_analytics, RUN)
    assert list(await platform.activity()) == [(1, date(2026, 11, 23))]
    result = await platform.run(daily_analytics, RUN, args={"days": 10})
    assert (result["days"], len(await platform.activity())) == (10, 2)


async def test_days_that_nobody_counted_are_counted_by_the_next_run(platform: Platform) -> None:
    await platform.people(Person(1))
    await platform.run(daily_analytics, RUN - 20 * ONE_DAY)
    await platform.focused(1, *((f"2026-11-{n:02}T09:00", f"2026-11-{n:02}T10:00") for n in range(6, 26)))
    result = await platform.run(daily_analytics, RUN)
    assert (result["days"], len(await platform.activity())) == (21, 20)


async def test_a_retry_goes_on_after_the_last_week_and_judges_all_days_of_the_first_try(platform: Platform) -> None:
    await platform.people(Person(1, created=RUN - 30 * ONE_DAY))
    days = [DAY - n * ONE_DAY for n in range(30)]
    await platform.focused(1, *((f"{day}T09:00", f"{day}T09:{30 if day != days[5] else 59}") for day in days))
    await platform.connection.execute(
        "ALTER TABLE productivity.activity_day ADD CONSTRAINT stuck CHECK (day < '2026-11-24') NOT VALID"
    )
    failed = await perform(daily_analytics, url=platform.url, due_at=RUN, settings=Settings(), now=RUN)
    assert failed.ending == "failed"
    assert 0 < len(await platform.activity()) < 30
    await platform.connection.execute("ALTER TABLE productivity.activity_day DROP CONSTRAINT stuck")
    run = await perform(daily_analytics, url=platform.url, due_at=RUN, settings=Settings(), now=RUN, resume=failed.id)
    assert (run.ending, run.error, run.result["days"]) == ("succeeded", None, 31)
    assert len(await platform.activity()) == 30
    judged = "SELECT count(*) FROM productivity.anomaly WHERE at::date = $1 AND metric = 'focus_minutes'"
    assert await platform.rows(judged, days[5]) == [(1,)]


@pytest.mark.parametrize("wrong", [0, -1, 179, "many", True, 1.5])
async def test_a_number_of_days_that_is_none_is_refused_with_the_bounds(platform: Platform, wrong: object) -> None:
    run = await perform(daily_analytics, url=platform.url, due_at=RUN, settings=Settings(), args={"days": wrong})
    assert run.ending == "failed"
    assert f"days: {wrong!r} is not a number from 1 to 178" in str(run.error)


async def test_goals_are_done_on_time_by_the_end_of_the_due_day_where_their_person_lives(platform: Platform) -> None:
    await platform.people(Person(1, "America/New_York"), Person(2, "Asia/Kolkata"))
    created, day = at("2026-11-20T12:00"), date(2026, 11, 24)
    await platform.goal(1, day, created, at("2026-11-25T04:59"))
    await platform.goal(1, day, created, at("2026-11-25T05:00"))
    await platform.goal(2, day, created, at("2026-11-24T18:31"))
    await platform.goal(2, day, created, None)
    await platform.goal(2, day, created, None, "ABANDONED")
    await platform.goal(2, date(2026, 12, 24), created, None)
    await platform.run(daily_analytics, RUN)
    figures = await platform.figures(day)
    assert (figures["goals_due"], figures["goals_done_on_time"], figures["goal_completion_rate"]) == (
        4,
        1,
        Decimal("0.25"),
    )
    assert (figures["goals_overdue_share"], figures["goal_lead_hours_median"]) == (Decimal("0.75"), Decimal("112.98"))


async def test_features_have_their_sessions_and_their_share(platform: Platform) -> None:
    await platform.people(Person(1))
    spans = [(f"2026-11-25T{n:02}:00", f"2026-11-25T{n:02}:{10 + n}") for n in range(8)]
    await platform.focused(1, *spans[:6], feature="pomodoro")
    await platform.focused(1, *spans[6:], feature="stopwatch")
    await platform.run(daily_analytics, RUN)
    assert await platform.rows(
        "SELECT dims ->> 'feature', metric, value FROM productivity.metric_daily WHERE dims <> '{}' AND day = $1 "
        "ORDER BY 1, 2", DAY) == [
        ("pomodoro", "feature_sessions", 6), ("pomodoro", "feature_share", Decimal("0.75")),
        ("stopwatch", "feature_sessions", 2), ("stopwatch", "feature_share", Decimal("0.25")),
    ]  # fmt: skip
    figures = await platform.figures(DAY)
    assert (figures["sessions"], figures["session_minutes_median"], figures["session_minutes_p90"]) == (
        8, Decimal("13.50"), Decimal("16.30"))  # fmt: skip


async def test_a_day_unlike_those_of_its_kind_is_an_anomaly_until_it_is_counted_anew(platform: Platform) -> None:
    """Weekends are quiet, which makes neither them nor Mondays unusual."""
    await platform.people(*(Person(id_, created=RUN - 40 * ONE_DAY) for id_ in range(1, 31)))
    for back in range(1, 40):
        day = DAY - back * ONE_DAY
        people = range(1, 3) if day.isoweekday() >= 6 else range(1, 9 + back % 3)
        for id_ in people:
            await platform.focused(id_, (f"{day}T09:00", f"{day}T09:30"))
    for id_ in range(1, 31):
        await platform.focused(id_, (f"{DAY}T09:00", f"{DAY}T09:30"))
    assert (await platform.run(daily_analytics, RUN))["anomalies"] > 0
    found = "SELECT at::date, value, baseline, direction FROM productivity.anomaly WHERE metric = 'dau'"
    assert await platform.rows(found) == [(DAY, 30, 9, "high")]
    await platform.connection.execute(
        "DELETE FROM productivity.timer_session WHERE user_id > 9 AND started_at >= $1", RUN - ONE_DAY
    )
    await platform.run(daily_analytics, RUN)
    assert await platform.rows(found) == []


async def test_goals_of_who_deleted_the_account_are_missed_by_nobody_from_that_day_on(platform: Platform) -> None:
    created = at("2026-11-20T12:00")
    await platform.people(Person(1), Person(2))
    for user in (1, 2):
        for day in (23, 24, 25):
            await platform.goal(user, date(2026, 11, day), created, None)
    await platform.connection.execute("UPDATE productivity.users SET deleted_at = '2026-11-24T12:00Z' WHERE id = 2")
    await platform.run(daily_analytics, RUN)
    assert [(await platform.figures(date(2026, 11, day)))["goals_due"] for day in (23, 24, 25)] == [2, 1, 1]


async def test_who_moves_before_anything_was_counted_signed_up_on_the_day_of_the_zone_they_left(
    platform: Platform,
) -> None:
    """At half past eleven in New York, a Tuesday; by the clock of Tokyo, where they flew, it was Wednesday noon."""
    flown = (at("2026-11-25T06:00"), "America/New_York")
    await platform.people(Person(1, "Asia/Tokyo", at("2026-11-25T03:30"), (flown,)))
    await platform.focused(1, ("2026-11-25T03:40", "2026-11-25T04:10"))
    await platform.run(daily_analytics, RUN)
    assert await platform.rows("SELECT day FROM productivity.signup_day") == [(date(2026, 11, 24),)]
    assert {day for _, day in await platform.activity()} == {date(2026, 11, 24)}


async def test_features_of_any_length_and_blank_ones_fail_nobodys_day(platform: Platform) -> None:
    """What no index has room for would fail the day of everybody."""
    await platform.people(Person(1))
    noise = "".join(random.Random(7).choices(string.ascii_letters + "😀é", k=20_000))
    spans = [(f"2026-11-25T{n:02}:00", f"2026-11-25T{n:02}:10") for n in range(5)]
    for span, feature in zip(spans, (noise, noise[:150] + "other", " \t", "", " pomodoro "), strict=True):
        await platform.focused(1, span, feature=feature)
    await platform.run(daily_analytics, RUN)
    sessions = "SELECT dims ->> 'feature', value FROM productivity.metric_daily WHERE metric = 'feature_sessions'"
    told = dict(await platform.rows(sessions))
    assert told == {noise[:100]: 2, "pomodoro": 1}
    assert (await platform.activity())[1, DAY] == (5, 5 * 600, told)
