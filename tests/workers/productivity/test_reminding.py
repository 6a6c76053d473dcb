"""What reminders have in common: what they know of a slot, and how their transactions ask."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import asyncpg

from daemon import sql
from tests.workers.productivity.house import House, at
from workers.productivity import many_people, monthly_report
from workers.productivity.daily_check import daily_check
from workers.productivity.reminding import Reminder, details_of
from workers.productivity.settings import ReminderSettings
from workers.productivity.slots import Clocks, Rule, Slot, slots

NINE = Rule(time(9), timedelta(hours=6))
NOW = at("2026-11-01T09:00")


def asked(clocks: Clocks, zones: list[str]) -> tuple[list[Slot], list[tuple[str, date]], list[Any]]:
    """The slots, what was worked out, and what each slot got of it."""
    worked_out: list[tuple[str, date]] = []

    def details(slot: Slot, _settings: ReminderSettings) -> dict[str, Any]:
        worked_out.append((slot.clock.key, slot.date))
        return {"of": (slot.clock.key, slot.date)}

    reminder = Reminder("goal_deadlines", sql.Statement("x", "SELECT 1", "x"), timedelta(hours=1), details)
    due = slots(NINE, dict.fromkeys(zones), clocks, NOW)
    return due, worked_out, [found["of"] for found in details_of(reminder, due, ReminderSettings())]


def test_with_one_clock_for_all_zones_a_slot_is_worked_out_once() -> None:
    zones = sorted(available_timezones())
    due, worked_out, got = asked(Clocks("UTC", one="Europe/Zurich"), zones)
    assert len(due) == len(zones) == len(got)
    assert worked_out == [("Europe/Zurich", date(2026, 11, 1))]


def test_every_zone_gets_what_is_of_its_own_clock_and_date() -> None:
    due, worked_out, got = asked(Clocks("UTC"), ["Europe/Zurich", "Europe/London", "Asia/Kolkata", "Mars/Olympus"])
    assert got == [(slot.clock.key, slot.date) for slot in due]
    assert sorted(worked_out) == sorted(set(got))


def test_a_months_days_are_those_of_the_clock_and_end_where_the_next_month_begins() -> None:
    slot = Slot("x", ZoneInfo("Europe/Zurich"), date(2026, 11, 1), NOW)
    starts: list[datetime] = monthly_report.details(slot, ReminderSettings())["starts"]
    assert (len(starts), starts[0], starts[-1]) == (32, at("2026-09-30T22:00"), at("2026-10-31T23:00"))


async def test_who_moved_is_told_beside_everybody_of_zones_whose_time_has_just_come(house: House) -> None:
    """One tick for both, each counted: 1 lives where it is six; 2 and 3 came from there to where it was an hour ago."""
    for id_, zone in ((1, "Africa/Lagos"), (2, "Africa/Lagos"), (3, "Africa/Lagos"), (4, "Africa/Cairo")):
        await house.user(id_, zone, last_activity_at=NOW)
    await house.pref(3, channels='{"daily": false}')
    await house.succeed(daily_check, at("2026-11-01T16:00"))  # in Cairo
    moved = "UPDATE productivity.users SET tz = 'Africa/Cairo', tz_set_at = '2026-11-01T16:30Z' WHERE id IN (2, 3)"
    await house.connection.execute(moved)
    result = await house.succeed(daily_check, at("2026-11-01T17:00"))
    assert result == {"slots": 1, "skipped_slots": 0, "sent": 2, "suppressed": {"daily checks are off": 1}}
    assert [user for user, _ in await house.mailed()] == [4, 1, 2]


async def test_statements_about_many_people_are_planned_for_what_is_asked(connection: asyncpg.Connection) -> None:
    """The plan kept after five uses takes thousands of people for ten, and does not end."""
    async with connection.transaction():
        await connection.execute(many_people.SET_UP.text)
        for n in range(8):
            await connection.fetch("SELECT $1::bigint[], generate_series(1, 2)", [n])
        (kept,) = await connection.fetch(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE '%_series(1, 2)'"
        )
    assert tuple(kept) == (0, 8)
