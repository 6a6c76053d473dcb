"""What a week and a month came to: sessions that overlap, cross midnight, never end, or end before they start."""

from __future__ import annotations

import json
import random
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest

from daemon import Job
from tests.workers.productivity.house import House, at
from workers.productivity.monthly_report import month_before, monthly_report
from workers.productivity.weekly_review import weekly_review

SUNDAY = at("2026-11-29T19:00")
START = datetime(2026, 11, 2, tzinfo=UTC)


def test_the_month_before_is_whole_whatever_the_day() -> None:
    assert [month_before(day) for day in (date(2026, 1, 1), date(2026, 3, 31), date(2024, 3, 1))] == [
        date(2025, 12, 1), date(2026, 2, 1), date(2024, 2, 1),
    ]  # fmt: skip


def by_hand(found: list[tuple[int, int | None]], start: int, end: int) -> int:
    """Minutes in [start, end) that at least one session covers, counted one by one."""
    covered: set[int] = set()
    for begins, length in found:
        if length is None or length > 0:
            covered |= set(range(begins, begins + min(960 if length is None else length, 960)))
    return len(covered & set(range(start, end)))


async def test_the_database_counts_as_by_hand(house: House, connection: asyncpg.Connection) -> None:
    """Two hundred random weeks in one statement."""
    draw = random.Random(7)
    weeks = {
        user: [(draw.randrange(10080), draw.choice([None, *range(-60, 2400, 7)])) for _ in range(draw.randrange(9))]
        for user in range(1, 201)
    }
    for user in weeks:
        await house.user(user)
    await connection.executemany(
        "INSERT INTO productivity.timer_session (user_id, started_at, ended_at) VALUES ($1, $2, $3)",
        [
            (user, START + timedelta(minutes=begins),
             None if length is None else START + timedelta(minutes=begins + length))
            for user, found in weeks.items() for begins, length in found
        ],
    )  # fmt: skip
    rows = await connection.fetch(
        "SELECT u.id, w.days, w.seconds, w.active FROM productivity.users u, "
        "productivity.focused(u.id, ($1::timestamptz[])[1], $1[1], $1[8]) f, "
        "productivity.focus_by_day(f.during, productivity.blank_days('2026-11-02', 7, 'Dy'), $1) w",
        [START + timedelta(days=n) for n in range(8)],
    )
    expected = {user: [by_hand(f, d * 1440, (d + 1) * 1440) for d in range(7)] for user, f in weeks.items()}
    for user, days, seconds, active in rows:
        minutes = expected[user]
        assert [day["minutes"] for day in json.loads(days)] == minutes
        assert (seconds, active) == (60 * sum(minutes), sum(m > 0 for m in minutes))
    assert [day["day"] for day in json.loads(rows[0]["days"])] == [f"2026-11-0{n}" for n in range(2, 9)]


async def test_the_trailing_seven_days_end_with_this_evening(house: House) -> None:
    await house.user(1)
    await house.focus(1, "2026-11-22T10:00", "2026-11-22T11:00")  # the Sunday before
    await house.focus(1, "2026-11-23T00:00", "2026-11-23T00:30")
    await house.focus(1, "2026-11-29T18:00")  # runs: up to now
    await house.goal(1, "overdue", "2026-11-20")
    await house.goal(1, "this week", "2026-11-25", status="DONE", completed_at=at("2026-11-24T10:00"))
    await house.goal(1, "last week", "2026-11-20", status="DONE", completed_at=at("2026-11-22T23:59"))
    for n in range(30):
        await house.goal(1, f"open {n}", "2026-12-03")
    assert (await house.succeed(weekly_review, SUNDAY))["sent"] == 1
    (data,) = await house.data()
    assert [day["minutes"] for day in data["days"]] == [30, 0, 0, 0, 0, 0, 60]
    assert {what: data[what] for what in ("minutes", "minutes_before", "done", "open", "overdue", "due_next_week")} == {
        "minutes": 90, "minutes_before": 60, "done": 1, "open": 31, "overdue": 1, "due_next_week": 30,
    }  # fmt: skip
    assert ([goal["title"] for goal in data["completed"]], len(data["goals"]), data["more"]) == (["this week"], 20, 11)


@pytest.mark.parametrize("job", [weekly_review, monthly_report])
async def test_who_has_nothing_to_be_told_gets_nothing_and_wishes_are_counted(house: House, job: object) -> None:
    await house.user(1)
    await house.user(2)
    await house.pref(2, channels='{"weekly": false, "monthly": false}')
    await house.focus(2, "2026-11-28T10:00", "2026-11-28T11:00")
    instant = SUNDAY if job is weekly_review else at("2026-12-01T09:00")
    result = await house.succeed(job, instant)  # type: ignore[arg-type]
    assert (result["sent"], sum(result["suppressed"].values())) == (0, 1)


async def test_a_month_is_that_of_the_persons_own_clock(house: House) -> None:
    """In Auckland the month began thirteen hours before, and its first hour is the month's."""
    await house.user(1, "Pacific/Auckland")
    await house.focus(1, "2026-10-31T11:30", "2026-10-31T12:00")  # 00:30 on 1 November there
    await house.focus(1, "2026-10-31T10:30", "2026-10-31T11:00")  # 23:30 on 31 October
    await house.goal(1, "late", "2026-11-10", status="DONE", completed_at=at("2026-11-10T11:30"))  # the 11th there
    await house.goal(1, "missed", "2026-11-30")
    assert (await house.succeed(monthly_report, at("2026-11-30T19:45")))["sent"] == 0
    assert (await house.succeed(monthly_report, at("2026-11-30T20:00")))["sent"] == 1
    (data,) = await house.data()
    assert (data["minutes"], data["minutes_before"], data["active_days"], len(data["days"])) == (30, 30, 1, 30)
    assert (data["done"], data["due"], data["on_time"]) == (1, 2, 0)
    assert [goal["title"] for goal in data["missed"]] == ["missed"]
    assert data["best"] == {"label": "1 Nov", "minutes": 30}


async def test_who_did_before_what_was_due_in_the_month_is_told_that_it_was_on_time(house: House) -> None:
    await house.user(1)
    await house.goal(1, "early", "2026-10-20", status="DONE", completed_at=at("2026-09-28T12:00"))
    await house.user(2)
    await house.goal(2, "given up", "2026-10-20", status="ABANDONED")
    assert (await house.succeed(monthly_report, at("2026-11-01T09:00")))["sent"] == 1
    (data,) = await house.data()
    assert (data["done"], data["due"], data["on_time"], data["missed"]) == (0, 1, 1, [])


@pytest.mark.parametrize("job", [weekly_review, monthly_report], ids=lambda job: job.name)
async def test_dates_and_instants_without_end_cost_nobody_their_mail(house: House, job: Job) -> None:
    """Applications write 'infinity' for goals of some day and for sessions that run."""
    await house.user(1)
    await house.user(2)
    for due_on in ("infinity", "-infinity"):
        await house.connection.execute(
            "INSERT INTO productivity.goal (user_id, title, due_on, status, completed_at) VALUES "
            "(1, 'some day', $1::text::date, 'OPEN', NULL), (1, 'done', $1::text::date, 'DONE', '2026-10-31T10:00Z'), "
            "(1, 'done', $1::text::date, 'DONE', $1::text::timestamptz)", due_on,
        )  # fmt: skip
    await house.connection.execute(
        "INSERT INTO productivity.timer_session (user_id, started_at, ended_at) VALUES "
        "(1, '2026-10-31T08:00Z', 'infinity'), (1, '-infinity', 'infinity'), (1, 'infinity', NULL), "
        "(1, '2026-10-30T08:00Z', '-infinity')"
    )
    await house.focus(2, "2026-10-30T09:00", "2026-10-30T10:00")
    assert (await house.succeed(job, at("2026-11-01T19:00"), settings={"reminders": {"window_hours": 12}}))["sent"] == 2
    assert [(data["minutes"], data["done"]) for data in await house.data()] == [(16 * 60, 2), (60, 0)]


async def test_who_stays_away_gets_no_review_of_goals_as_long_forgotten(house: House) -> None:
    """30 days before this Sunday was 2 October, when inactive_users writes for the last time."""
    there, gone = at("2026-10-03T12:00"), at("2026-10-01T12:00")
    for id_, last, created, due_on in (
        (1, gone, gone, "2026-09-01"), (2, there, gone, "2026-09-01"), (3, gone, there, "2026-09-01"),
        (4, gone, gone, "2026-10-02"), (5, gone, gone, "2026-10-01"),
    ):  # fmt: skip
        await house.user(id_, last_activity_at=last)
        await house.goal(id_, "a", due_on, created_at=created)
    await house.user(6, last_activity_at=gone)
    await house.goal(6, "old", "2026-09-01", created_at=gone)
    await house.focus(6, "2026-10-20T09:00", "2026-10-20T10:00")
    await house.succeed(weekly_review, at("2026-11-01T19:00"))
    assert [user for user, _ in await house.mailed()] == [2, 3, 4, 6]
