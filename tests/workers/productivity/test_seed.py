"""The sample people on a real database: loaded once, added to, believable to every reminder."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from daemon import sql
from tests.workers.productivity.house import House
from workers.productivity import seed as seeding
from workers.productivity.break_reminders import break_reminders
from workers.productivity.daily_check import daily_check
from workers.productivity.goal_deadlines import goal_deadlines
from workers.productivity.inactive_users import inactive_users
from workers.productivity.weekly_review import weekly_review


async def load(connection: asyncpg.Connection, scale: float) -> dict[str, int]:
    return dict(await seeding.seed(connection, scale=scale, cache=Path(), progress=lambda *_: None))


async def test_a_larger_scale_adds_to_a_smaller_one_and_the_same_again_adds_nothing(
    connection: asyncpg.Connection,
) -> None:
    first = await load(connection, 0.05)
    assert first["people"] == 50
    people = await connection.fetch("SELECT id, name, tz FROM productivity.users ORDER BY id")
    assert await load(connection, 0.05) == {"people": 0, "goals": 0, "sessions": 0}
    assert (await load(connection, 0.1))["people"] == 50
    assert await connection.fetch("SELECT id, name, tz FROM productivity.users WHERE id <= 50 ORDER BY id") == people


async def test_people_who_are_not_the_samples_are_refused(house: House) -> None:
    await house.user(1)
    with pytest.raises(ValueError, match="has people of its own"):
        await load(house.connection, 1)


async def test_the_people_are_believable(connection: asyncpg.Connection, house: House) -> None:
    """Many zones, months of sessions, more of them on weekdays, many people gone, goals of every fate."""
    told = await load(connection, 0.4)
    assert told["people"] == 400
    assert 5 <= told["sessions"] / told["people"] <= 60
    assert 2 <= told["goals"] / told["people"] <= 6
    assert await house.value("SELECT count(DISTINCT tz) FROM productivity.users") >= 18
    assert await house.value(
        "SELECT bool_and(timestamptz '2026-01-01' AT TIME ZONE tz IS NOT NULL) FROM productivity.users"
    )
    months = await house.value("SELECT count(DISTINCT date_trunc('month', started_at)) FROM productivity.timer_session")
    assert months >= 8
    now = await house.value("SELECT sexton.clock()")
    assert await house.value("SELECT max(coalesce(ended_at, started_at)) FROM productivity.timer_session") <= now
    assert await house.value("SELECT bool_and(last_activity_at <= $1) FROM productivity.users", now)
    gone = await house.value("SELECT avg((last_activity_at < $1)::int) FROM productivity.users", now - timedelta(30))
    assert 0.4 < gone < 0.95
    by_day = dict(await house.rows("SELECT extract(isodow FROM started_at)::int, count(*)::int "
                                   "FROM productivity.timer_session GROUP BY 1"))  # type: ignore[arg-type]  # fmt: skip
    assert by_day[6] + by_day[7] < by_day[2] + by_day[3]
    lengths = await house.rows("SELECT min(ended_at - started_at), max(ended_at - started_at), "
                               "count(DISTINCT feature), avg((ended_at IS NULL)::int) "
                               "FROM productivity.timer_session WHERE kind = 'FOCUS'")  # fmt: skip
    ((shortest, longest, features, forgotten),) = lengths
    assert (shortest, longest, features) == (timedelta(minutes=20), timedelta(minutes=35), 4)
    assert 0 < forgotten < 0.01
    fates: dict[str, Any] = dict(await house.rows("SELECT status, count(*) FROM productivity.goal GROUP BY 1"))  # type: ignore[arg-type]
    assert fates["DONE"] > fates["OPEN"] > fates["ABANDONED"] > 0
    assert await house.value("SELECT count(*) FROM productivity.goal WHERE due_on IS NULL OR title IS NULL") > 0
    assert await house.value("SELECT count(*) FROM productivity.timer_session WHERE ended_at IS NULL") > 0


async def test_every_reminder_finds_somebody_among_them(connection: asyncpg.Connection, house: House) -> None:
    """Of the day before now, whatever the time of day: the windows are a day long."""
    await load(connection, 0.4)
    now = await house.value("SELECT date_bin('25 min', sexton.clock(), '2020-01-01Z')")
    day = {"reminders": {"window_hours": 24, "daily_check_window_hours": 24}}
    monday = now - timedelta(days=now.isoweekday() % 7 - 1)
    for job, at in ((goal_deadlines, now), (daily_check, now), (inactive_users, now), (weekly_review, monday)):
        told = await house.succeed(job, at, settings=day)
        assert told["sent"] > 0, (job.name, told)
    assert "sent" in await house.succeed(break_reminders, now)


def test_every_statement_is_used() -> None:
    assert len(sql.parse(Path("workers/productivity/seed.sql"))) == 9
