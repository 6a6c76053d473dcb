"""One person in each odd zone over both of its clock changes: what was sent when, as the documentation has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import asyncpg

from daemon import Transaction
from tests.workers.productivity.house import House, at
from workers.productivity import daily_check, goal_deadlines, inactive_users, weekly_review
from workers.productivity.reminding import ZONES, serve, tick_of
from workers.productivity.settings import Settings
from workers.productivity.slots import Clocks, instant, slots

DOCS = Path(__file__).parents[3] / "docs/suites/productivity.md"
JOBS = (inactive_users, goal_deadlines, daily_check, weekly_review)
TICK = timedelta(minutes=15)
WEEK = timedelta(days=7)
# Sundays of 2026 on which the clocks go forward, with a time that they skip, and back, with one that they show twice;
# Zurich's where there are none.
NEVER = (("03-29", "02:15"), ("10-25", "02:15"))
PLAYS = {
    "Asia/Kolkata": NEVER, "Asia/Kathmandu": NEVER, "Pacific/Apia": NEVER, "Pacific/Kiritimati": NEVER,
    "Europe/Zurich": NEVER, "America/New_York": (("03-08", "02:15"), ("11-01", "01:15")),
    "America/St_Johns": (("03-08", "02:15"), ("11-01", "01:15")),
    "Australia/Lord_Howe": (("10-04", "02:15"), ("04-05", "01:45")),
    "Pacific/Chatham": (("09-27", "03:15"), ("04-05", "03:15")),
}  # fmt: skip


@dataclass
class Tables:
    """What `serve` asks of a transaction, on a plain connection."""

    connection: asyncpg.Connection

    async def execute(self, statement: object, *args: object) -> Any:
        return await self.connection.execute(str(statement), *args)

    async def fetch(self, statement: object, *args: object) -> Any:
        return await self.connection.fetch(str(statement), *args)

    async def fetchrow(self, statement: object, *args: object) -> Any:
        return await self.connection.fetchrow(str(statement), *args)


async def tick(connection: asyncpg.Connection, settings: Settings, now: datetime) -> None:
    """All four reminders, as their jobs do it, but for the ledger's row."""
    for job in JOBS:
        rows = await connection.fetch(str(ZONES), job.REMINDER.kind)
        due = slots(job.rule(settings.reminders), {row["zone"]: row["last"] for row in rows}, Clocks("UTC"), now)
        async with connection.transaction():
            await serve(cast("Transaction", Tables(connection)), tick_of(job.REMINDER, due, settings, now, now))


async def play(house: House, user: int, zone: str, sunday: date, slot: str) -> list[str]:
    """From the Saturday's last evening to the Monday's first hour, tick by tick. What was sent on the Sunday."""
    clock = ZoneInfo(zone)
    settings = Settings(reminders={"inactive_users_at": slot, "window_hours": 1, "daily_check_window_hours": 1})
    away = instant(clock, sunday - WEEK) + timedelta(hours=20)
    await house.user(user, zone, last_activity_at=away)
    await house.goal(user, "due on Monday", (sunday + timedelta(days=1)).isoformat())
    now = instant(clock, sunday) - timedelta(minutes=30)
    while now < instant(clock, sunday + timedelta(days=1)) + timedelta(minutes=30):
        await tick(house.connection, settings, now)
        now += TICK
    sent = await house.connection.fetch(
        "SELECT l.kind, l.sent_at FROM productivity.reminder_log l JOIN sexton.outbox o ON o.dedupe_key = "
        "'productivity:' || l.kind || ':' || l.user_id || ':' || l.ref WHERE user_id = $1 AND ref = $2 AND bucket = ''",
        user, sunday.isoformat(),
    )  # fmt: skip
    await house.connection.execute("DELETE FROM productivity.users")
    await house.connection.execute("DELETE FROM productivity.reminder_slot")
    return [", ".join(told(row["sent_at"], clock) for row in sent if row["kind"] == job.REMINDER.kind) for job in JOBS]


def told(sent: datetime, clock: ZoneInfo) -> str:
    return f"{sent.astimezone(clock):%H:%M} ({sent:%a %H:%M} UTC)"


def change(clock: ZoneInfo, sunday: date) -> str:
    """How the Sunday's length differs from a day's."""
    length = instant(clock, sunday + timedelta(days=1)) - instant(clock, sunday)
    minutes = int((timedelta(days=1) - length).total_seconds() / 60)
    return "none" if not minutes else f"{'forward' if minutes > 0 else 'back'} {abs(minutes)} min"


async def test_everybody_is_told_once_and_at_the_time_that_the_documentation_says(house: House) -> None:
    await house.connection.execute("SET search_path = productivity")
    lines = [
        "| zone | Sunday | clocks | set to | nudge | goals, 09:00 | daily check, 18:00 | weekly review, 19:00 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for n, (zone, sundays) in enumerate(PLAYS.items()):
        for m, (day, slot) in enumerate(sundays):
            sunday = date.fromisoformat(f"2026-{day}")
            sent = await play(house, 2 * n + m + 1, zone, sunday, slot)
            assert all(cell.count("UTC") == 1 for cell in sent), (zone, sunday, sent)
            cells = [zone, f"2026-{day}", change(ZoneInfo(zone), sunday), slot, *sent]
            lines.append(f"| {' | '.join(cells)} |")
    table = DOCS.read_text(encoding="utf-8").partition("<!-- clock changes -->\n")[2].partition("<!-- end -->")[0]
    assert table == "\n".join(lines) + "\n", "\n" + "\n".join(lines)


def test_the_plays_are_of_both_changes_of_every_zone_that_has_them() -> None:
    """So that a zone's new law does not make the table say less than it seems to."""
    changes = {zone: [change(ZoneInfo(zone), date.fromisoformat(f"2026-{day}")) for day, _ in days]
               for zone, days in PLAYS.items()}  # fmt: skip
    assert changes["Europe/Zurich"] == ["forward 60 min", "back 60 min"]
    assert changes["Australia/Lord_Howe"] == ["forward 30 min", "back 30 min"]
    assert [zone for zone, (first, _) in changes.items() if first == "none"] == list(PLAYS)[:4]
    assert at("2026-03-29T01:00") == instant(
        ZoneInfo("Europe/Zurich"), date(2026, 3, 29), at("2026-01-01T02:15").time()
    )
