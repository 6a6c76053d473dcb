"""How people work: against plain Python over small worlds, and by hand for clocks, streaks and what changed since."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.testing import perform
from tests.workers.productivity.calendar_reference import activity, counted_until, streaks, theil_sen
from tests.workers.productivity.platform import Person, Platform, Session, at
from workers.productivity import user_behavior as module
from workers.productivity.settings import Settings
from workers.productivity.user_behavior import user_behavior

NOW = at("2026-11-26T12:00")
ONE_DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
ZONES = ("Asia/Kathmandu", "America/New_York", "Australia/Lord_Howe", "Europe/Zurich", "Pacific/Chatham", "UTC")


async def described(platform: Platform, now: datetime = NOW) -> dict[int, dict[str, Any]]:
    """The newest description of everybody."""
    await platform.run(user_behavior, now)
    rows = await platform.rows(
        "SELECT DISTINCT ON (user_id) user_id, payload FROM productivity.behavior ORDER BY user_id, window_end DESC"
    )
    return {user: json.loads(payload) for user, payload in rows}


@st.composite
def worlds(draw: st.DrawFn) -> tuple[datetime, list[Person], list[Session]]:
    """Six people over four weeks in which clocks change in Zurich, Lord Howe's or New York."""
    now = draw(st.sampled_from((NOW, at("2026-04-10T03:00"), at("2026-11-02T20:00"))))
    people = [Person(id_, draw(st.sampled_from(ZONES)), now - 90 * ONE_DAY) for id_ in range(1, 7)]
    drawn = st.tuples(
        st.integers(1, 6), st.integers(-60 * 24 * 29, -1), st.none() | st.integers(-30, 60 * 20),
        st.sampled_from(("FOCUS", "FOCUS", "BREAK")), st.sampled_from((None, "pomodoro", "stopwatch")),
    )  # fmt: skip
    sessions = [
        Session(user, now + n * MINUTE, None if took is None else now + (n + took) * MINUTE, kind, feature)
        for user, n, took, kind, feature in draw(st.lists(drawn, min_size=20, max_size=60))
    ]
    return now, people, sessions


def minutes_of(sessions: list[Session], kind: str, first: datetime, past: datetime, now: datetime) -> int:
    """Distinct minutes of a kind between two instants."""
    found = set()
    for s in sessions:
        if s.kind == kind:
            length = int((counted_until(s, now) - s.started) / MINUTE)
            found |= {m for n in range(length) if first <= (m := s.started + n * MINUTE) < past}
    return len(found)


@given(worlds())
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
async def test_descriptions_are_those_of_plain_python(
    platform: Platform, world: tuple[datetime, list[Person], list[Session]]
) -> None:
    now, people, sessions = world
    await platform.cleared()
    await platform.people(*people)
    await platform.sessions(sessions)
    found = await described(platform, now)
    days = [now.date() - n * ONE_DAY for n in range(-1, 32)][::-1]
    worked = activity(people, sessions, days, now)
    for person in people:
        own, clock = [s for s in sessions if s.user == person.id], ZoneInfo(person.zone)
        today = now.astimezone(clock).date()
        past, first = (
            datetime.combine(today - n * ONE_DAY, datetime.min.time(), clock).astimezone(UTC) for n in (0, 28)
        )
        counted = [
            s for s in own if s.kind == "FOCUS" and first <= s.started < past and counted_until(s, now) > s.started
        ]
        if person.id not in found:
            assert not own
            continue
        told = found[person.id]
        lengths = [(counted_until(s, now) - s.started) / MINUTE for s in counted]
        assert told["sessions"] == len(counted)
        assert told["session_minutes_median"] == (pytest.approx(median(lengths), abs=0.006) if lengths else None)
        hours = Counter((w := s.started.astimezone(clock)).weekday() * 24 + w.hour for s in counted)
        assert told["hours"] == ([hours[n] for n in range(168)] if counted else None)
        assert told["peak_hour_of_week"] == (min(hours, key=lambda h: (-hours[h], h)) if hours else None)
        focus, rest = (minutes_of(own, kind, first, past, now) for kind in ("FOCUS", "BREAK"))
        assert told["focus_minutes"] == focus
        assert told["focus_ratio"] == (pytest.approx(focus / (focus + rest), abs=0.0001) if focus + rest else None)
        window = [today - n * ONE_DAY for n in range(28, 0, -1)]
        series = [worked.get((person.id, day), (0, 0, {}))[1] / 60 for day in window]
        assert told["focus_minutes_trend"] == pytest.approx(theil_sen(series), abs=0.0001)
        active = [day for user, day in worked if user == person.id and today - 28 * ONE_DAY <= day <= today]
        assert (told["current_streak"], told["longest_streak"]) == streaks(active, today)


async def test_an_empty_platform_is_described_in_no_time(platform: Platform) -> None:
    assert await platform.run(user_behavior, NOW) == {"described": 0}


async def test_the_peak_is_the_earlier_of_two_hours_and_shares_are_of_named_features(platform: Platform) -> None:
    await platform.people(Person(1, "Asia/Kathmandu"))
    await platform.focused(1, ("2026-11-24T03:15", "2026-11-24T03:45"), feature="pomodoro")
    await platform.focused(1, ("2026-11-25T04:14", "2026-11-25T04:44"), feature="stopwatch")
    await platform.focused(1, ("2026-11-25T03:15", "2026-11-25T03:25"))
    told = (await described(platform))[1]
    assert (told["peak_hour_of_week"], told["hours"][24 + 9], told["hours"][48 + 9]) == (2 * 24 + 9, 1, 2)
    assert told["features"] == {"pomodoro": 0.5, "stopwatch": 0.5}
    assert (told["zone"], told["through"], told["focus_ratio"]) == ("Asia/Kathmandu", "2026-11-25", 1.0)


async def test_a_streak_goes_back_beyond_the_window_and_stands_until_a_day_is_over_without_focus(
    platform: Platform,
) -> None:
    await platform.people(Person(1), Person(2))
    days = [date(2026, 11, 25) - n * ONE_DAY for n in range(27)]
    for user, left_out in ((1, 0), (2, 1)):
        await platform.focused(user, *((f"{day}T09:00", f"{day}T09:30") for day in days[left_out:]))
        await platform.connection.executemany(
            "INSERT INTO productivity.activity_day VALUES ($1, $2, 1, 60, '{}')",
            [(user, date(2026, 10, 28) - n * ONE_DAY) for n in range(33)],
        )
        await platform.focused(user, ("2026-10-29T09:00", "2026-10-29T10:00"))
    told = await described(platform)
    assert (told[1]["current_streak"], told[1]["longest_streak"]) == (61, 61)
    assert (told[2]["current_streak"], told[2]["longest_streak"]) == (0, 60)


async def test_only_who_changed_since_the_run_before_is_described_again(platform: Platform) -> None:
    await platform.people(Person(1), Person(2), Person(3))
    await platform.focused(1, ("2026-11-24T09:00", "2026-11-24T10:00"))
    await platform.focused(2, ("2026-11-24T09:00", None))
    assert await platform.run(user_behavior, NOW) == {"described": 2}
    assert await platform.run(user_behavior, NOW + timedelta(hours=6)) == {"described": 0}
    await platform.connection.execute("UPDATE productivity.timer_session SET ended_at = $1 WHERE user_id = 2", NOW)
    await platform.connection.execute(  # written long after it was
        "INSERT INTO productivity.timer_session (user_id, started_at, ended_at) VALUES (3, $1, $2)",
        at("2026-11-10T09:00"), at("2026-11-10T10:00"),
    )  # fmt: skip
    await platform.connection.execute("UPDATE productivity.watermark SET at = now() - interval '1 hour'")
    assert await platform.run(user_behavior, NOW + timedelta(hours=12)) == {"described": 2}


async def test_a_retry_goes_on_after_the_last_page_as_of_the_first_try(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 2)
    await platform.people(*(Person(id_) for id_ in range(1, 6)))
    for id_ in range(1, 6):
        await platform.focused(id_, ("2026-11-24T09:00", "2026-11-24T10:00"))
    await platform.connection.execute(
        "ALTER TABLE productivity.behavior ADD CONSTRAINT not_three CHECK (user_id <> 3) NOT VALID"
    )
    failed = await perform(user_behavior, url=platform.url, due_at=NOW, settings=Settings(), now=NOW)
    assert failed.ending == "failed"
    await platform.connection.execute("ALTER TABLE productivity.behavior DROP CONSTRAINT not_three")
    later = NOW + timedelta(hours=1)
    again = await perform(user_behavior, url=platform.url, due_at=NOW, settings=Settings(), now=later, resume=failed.id)
    assert again.result == {"described": 5}
    assert await platform.rows("SELECT DISTINCT window_end FROM productivity.behavior") == [(NOW,)]
    assert await platform.rows("SELECT at FROM productivity.watermark") == [(NOW,)]


async def test_a_date_that_samoa_left_out_ends_no_streak(platform: Platform) -> None:
    """There was no 30 December 2011; on the 31st, which is not over, the 29th was yesterday."""
    await platform.people(
        Person(1, "Pacific/Apia", at("2011-12-01T00:00")), Person(2, "Pacific/Apia", at("2011-12-01T00:00"))
    )
    until_29th = [(f"2011-12-{day}T20:00", f"2011-12-{day}T20:30") for day in (27, 28, 29)]  # at ten in the morning
    await platform.focused(1, *until_29th, ("2011-12-30T20:00", "2011-12-30T20:30"))
    await platform.focused(2, *until_29th)
    told = await described(platform, at("2011-12-30T22:00"))
    assert [(told[id_]["current_streak"], told[id_]["longest_streak"]) for id_ in (1, 2)] == [(4, 4), (3, 3)]
