"""What statements about many people read: of each what is asked, however long the history and however many zones."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast
from zoneinfo import available_timezones

import asyncpg
import pytest

from daemon import Transaction, sql
from tests.workers.productivity.house import House, at
from workers.productivity import (
    daily_check,
    goal_deadlines,
    inactive_users,
    many_people,
    monthly_report,
    user_behavior,
    weekly_review,
)
from workers.productivity.reminding import EVERYBODY, NOBODY, tick_of, write
from workers.productivity.settings import Settings
from workers.productivity.slots import Clocks, slots
from workers.productivity.zone_days import days_of, offsets_of

SUNDAY = at("2026-11-01T19:00")  # and the first of a month
PEOPLE, SESSIONS_EACH = 400, 100
LONG_HISTORIES = """
INSERT INTO productivity.users (id, email, tz, created_at, tz_set_at, last_activity_at)
SELECT n, 'u' || n || '@example.org', 'UTC', $1 - interval '3 years', $1 - interval '3 years',
    $1 - interval '1 day' * CASE WHEN n % 2 = 0 THEN 1 ELSE 7 END
FROM generate_series(1, $2) n;
INSERT INTO productivity.timer_session (user_id, started_at, ended_at)
SELECT n, s.at, s.at + interval '1 hour'
FROM generate_series(1, $3) d, generate_series(1, $2) n, LATERAL (SELECT $1 - d * interval '3 days' AS at) s;
INSERT INTO productivity.goal (user_id, title, due_on, status)
SELECT n, 'goal', $1::date + 5 - d * 10, 'OPEN' FROM generate_series(1, $2) n, generate_series(1, 10) d;
INSERT INTO productivity.reminder_log (user_id, kind, ref, sent_at)
SELECT n, 'daily_check', ($1::date - d)::text, $1 - d * interval '1 day'
FROM generate_series(1, $2) n, generate_series(1, 50) d
"""
"""$1: an instant. $2: people. $3: sessions of each."""


@dataclass
class Explained:
    """A transaction that keeps what a statement did, node by node, and undoes it."""

    connection: asyncpg.Connection
    nodes: list[Mapping[str, Any]] = field(default_factory=list)

    async def fetchrow(self, statement: sql.Statement, *args: object) -> Mapping[str, Any]:
        asked = f"EXPLAIN (ANALYZE, TIMING off, FORMAT json) {statement}"
        self.nodes = list(within(json.loads(await self.connection.fetchval(asked, *args))[0]["Plan"]))
        return {"sent": 0, "suppressed": "{}"}

    def rows_read(self, table: str) -> float:
        """Rows that scans of a table gave or threw away, every time."""
        scans = [n for n in self.nodes if n.get("Relation Name") == table and "Scan" in n["Node Type"]]
        thrown = ("Rows Removed by Filter", "Rows Removed by Index Recheck")
        return sum(n["Actual Loops"] * (n["Actual Rows"] + sum(n.get(t, 0) for t in thrown)) for n in scans)


def within(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for inner in node.get("Plans", ()):
        yield from within(inner)


@pytest.mark.parametrize("analyzed", [True, False], ids=["analyzed", "fresh"])
async def test_reminders_read_what_they_ask_for_and_not_all_of_long_histories(
    house: House, connection: asyncpg.Connection, analyzed: bool
) -> None:
    told = LONG_HISTORIES.replace("$1", f"timestamptz '{SUNDAY}'")
    await connection.execute(told.replace("$2", str(PEOPLE)).replace("$3", str(SESSIONS_EACH)))
    if analyzed:
        await connection.execute("ANALYZE")
    settings = Settings(reminders={"window_hours": 12})
    await connection.execute("SET search_path = productivity")
    for job in (daily_check, goal_deadlines, inactive_users, monthly_report, weekly_review):
        due = slots(job.rule(settings.reminders), {"UTC": None}, Clocks("UTC"), SUNDAY)
        tick = tick_of(job.REMINDER, due, settings, SUNDAY, SUNDAY)
        explained = Explained(connection)
        async with connection.transaction():
            await connection.execute(str(many_people.SET_UP))
            await write(cast("Transaction", explained), tick, tick.served, NOBODY, EVERYBODY)
        read = {table: explained.rows_read(table) / PEOPLE for table in ("timer_session", "goal", "reminder_log")}
        assert read["timer_session"] <= 30, (job.__name__, read)
        assert read["goal"] <= 25, (job.__name__, read)
        assert read["reminder_log"] <= 1, (job.__name__, read)


async def test_people_are_described_without_reading_the_days_of_all_zones_for_each(
    house: House, connection: asyncpg.Connection
) -> None:
    """The list of hundreds of zones' days is read once or twice for all people, not once or twice for each."""
    zones = sorted(available_timezones())
    for id_ in range(1, 31):
        await house.user(id_, zones[id_ * 7])
    clocks, first = Clocks("UTC"), SUNDAY - timedelta(days=30)
    days, offsets = days_of(zones, clocks, first.date(), 32), offsets_of(zones, clocks, first, SUNDAY)
    await connection.execute("SET search_path = productivity")
    explained = Explained(connection)
    async with connection.transaction():
        await connection.execute(str(many_people.SET_UP))
        await explained.fetchrow(user_behavior.DESCRIBE, list(range(1, 31)), SUNDAY, days, offsets)
    scans = [node for node in explained.nodes if node.get("CTE Name") == "zone_day"]
    assert scans
    assert max(node["Actual Loops"] for node in scans) <= 2
