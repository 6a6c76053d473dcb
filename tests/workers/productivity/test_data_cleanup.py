"""Old sessions move to the archive and count on; old figures go; a retry takes up where it was."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from daemon.testing import perform
from tests.workers.productivity.platform import Person, Platform, at
from workers.productivity import data_cleanup as module
from workers.productivity.data_cleanup import data_cleanup
from workers.productivity.settings import Settings

NOW = at("2026-11-26T04:00")
NOTHING = {
    "sessions_archived": 0, "daily_metrics": 0, "weekly_metrics": 0, "monthly_metrics": 0, "activity_days": 0,
    "retention_rows": 0, "anomalies": 0, "behavior_rows": 0, "samples": 0, "reminders": 0, "reminder_slots": 0,
}  # fmt: skip


async def test_an_empty_platform_is_clean(platform: Platform) -> None:
    assert await platform.run(data_cleanup, NOW) == NOTHING


async def test_sessions_of_180_days_are_moved_as_they_are_and_newer_ones_stay(platform: Platform) -> None:
    await platform.people(Person(1))
    await platform.focused(
        1, ("2026-05-30T03:59", "2026-05-30T04:30"), ("2026-05-30T04:01", "2026-05-30T05:00"),
        ("2026-01-01T00:00", None), ("2026-01-02T10:00", "2026-01-02T09:00"), feature="pomodoro",
    )  # fmt: skip
    columns = "SELECT id, user_id, started_at, ended_at, kind, feature FROM productivity."
    before = await platform.rows(columns + "timer_session")
    seen = "SELECT count(*), max(until) FROM productivity.every_timed_session"
    counted = await platform.rows(seen)
    assert await platform.run(data_cleanup, NOW) == NOTHING | {"sessions_archived": 3}
    left = await platform.rows("SELECT id FROM productivity.timer_session")
    moved = await platform.rows(columns + "timer_session_archive")
    assert (left, sorted(moved)) == ([before[1][:1]], sorted([before[0], *before[2:]]))
    assert await platform.rows(seen) == counted
    assert await platform.run(data_cleanup, NOW) == NOTHING


async def test_figures_of_365_days_go_what_is_superseded_and_samples_of_30_and_reminders_of_60(
    platform: Platform,
) -> None:
    old, young = date(2025, 11, 25), date(2025, 11, 26)
    for day in (old, young):
        for statement in (
            "INSERT INTO productivity.metric_daily VALUES ($1, 'dau', '{}', 1)",
            "INSERT INTO productivity.activity_day VALUES (1, $1, 1, 1, '{}')",
            "INSERT INTO productivity.retention VALUES ($1, 1, 1, 1, 1)",
            "INSERT INTO productivity.anomaly VALUES ('dau', $1::date + interval '12 hours', '{}', 1, 1, 1, 'high')",
            "INSERT INTO productivity.behavior VALUES (1, $1::date + interval '12 hours', '{}')",
        ):
            await platform.connection.execute(statement, day)
    for n in (15, 32):
        await platform.connection.execute(
            "INSERT INTO productivity.perf_sample VALUES ($1, 'x', 1)", NOW - timedelta(days=n)
        )
    for n in (59, 61):
        sent = NOW - timedelta(days=n)
        await platform.connection.execute(
            "INSERT INTO productivity.reminder_log VALUES (1, 'goal', $2, '', $1)", sent, str(n)
        )
        await platform.connection.execute(
            "INSERT INTO productivity.reminder_slot VALUES ('daily_check', 'UTC', $1::date, $1, $1, 'served')", sent
        )
    for week in (date(2025, 11, 16), date(2025, 11, 23)):
        await platform.connection.execute("INSERT INTO productivity.metric_weekly VALUES ($1, 'x', '{}', 1)", week)
    for month in (date(2025, 10, 1), date(2025, 11, 1)):
        await platform.connection.execute("INSERT INTO productivity.metric_monthly VALUES ($1, 'x', '{}', 1)", month)
    assert await platform.run(data_cleanup, NOW) == dict.fromkeys(NOTHING, 1) | {"sessions_archived": 0}
    await platform.connection.execute(
        "INSERT INTO productivity.behavior VALUES (1, $1, '{}')", NOW - timedelta(days=40)
    )
    assert await platform.run(data_cleanup, NOW) == NOTHING | {"behavior_rows": 1}


async def test_how_long_is_for_the_operator_to_say(platform: Platform) -> None:
    await platform.people(Person(1))
    await platform.focused(1, ("2026-10-20T09:00", "2026-10-20T10:00"))
    await platform.connection.execute("INSERT INTO productivity.metric_daily VALUES ('2026-10-20', 'dau', '{}', 1)")
    kept = {"cleanup_interval_days": 31, "analytics_retention_days": 31}
    assert await platform.run(data_cleanup, NOW, settings=kept) == NOTHING | {
        "sessions_archived": 1,
        "daily_metrics": 1,
    }


async def test_a_retry_goes_on_and_reports_what_the_first_try_removed(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    await platform.people(Person(1))
    await platform.focused(1, *((f"2026-01-{n:02}T09:00", f"2026-01-{n:02}T10:00") for n in range(1, 8)))
    await platform.connection.execute(
        "ALTER TABLE productivity.timer_session_archive ADD CONSTRAINT stuck "
        "CHECK (started_at < '2026-01-04') NOT VALID"
    )
    failed = await perform(data_cleanup, url=platform.url, due_at=NOW, settings=Settings())
    assert failed.ending == "failed"
    assert await platform.rows("SELECT count(*) FROM productivity.timer_session_archive") == [(2,)]
    await platform.connection.execute("ALTER TABLE productivity.timer_session_archive DROP CONSTRAINT stuck")
    again = await perform(data_cleanup, url=platform.url, due_at=NOW, settings=Settings(), resume=failed.id)
    assert again.result == NOTHING | {"sessions_archived": 7}
