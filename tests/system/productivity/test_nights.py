"""Two daemons through nights on which clocks go forward and back: everybody gets each reminder once a night."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.system.productivity.stage import NightStage

pytestmark = pytest.mark.on("external")

PEOPLE = 40
BERLIN, LORD_HOWE = "Europe/Berlin", "Australia/Lord_Howe"
LOAD = """
    WITH person AS (
        INSERT INTO productivity.users (id, email, tz, created_at, tz_set_at)
        SELECT n, n || '@example.org', CASE WHEN n % 2 = 0 THEN $2 ELSE $3 END, $4, $4
        FROM generate_series(1, $1::int) n
    )
    INSERT INTO productivity.goal (user_id, title, due_on, created_at)
    SELECT n, 'goal', date '2026-03-30' + 7 * w, $4 FROM generate_series(1, $1) n, generate_series(0, 30) w
"""
TOLD = "SELECT user_id, kind, ref, sent_at FROM productivity.reminder_log WHERE bucket = ''"
MAILED = "SELECT recipient::bigint, template, data ->> 'date' FROM sexton.outbox"


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


# Daily checks are set to 01:45, goals to 02:15. A night: its zone and date, the ticks played, and when each is to come.
NIGHTS = (
    (BERLIN, "2026-03-29", ("03-29T00:45", "03-29T01:00", "03-29T01:15"), "03-29T00:45", "03-29T01:00"),
    (LORD_HOWE, "2026-04-05", ("04-04T14:45", "04-04T15:15", "04-04T15:45"), "04-04T14:45", "04-04T15:45"),
    (LORD_HOWE, "2026-10-04", ("10-03T15:15", "10-03T15:30", "10-03T15:45"), "10-03T15:15", "10-03T15:30"),
    (BERLIN, "2026-10-25", ("10-24T23:45", "10-25T00:15", "10-25T01:15"), "10-24T23:45", "10-25T00:15"),
)
KILLED_AT = at("10-25T00:15")


async def test_two_daemons_remind_everybody_once_on_the_nights_the_clocks_change(
    stage: NightStage, counted: Callable[..., Any]
) -> None:
    """One of them is killed as the time comes that the clocks will show again, when it may be about to write."""
    async with stage.place.connection() as connection:
        await connection.execute(LOAD, PEOPLE, BERLIN, LORD_HOWE, at("01-01T00:00"))
    await stage.set_clock(at("03-28T23:50"))
    a, b = await asyncio.gather(stage.daemon(name="a"), stage.daemon(name="b"))
    await stage.begun()
    for _, _, ticks, *_ in NIGHTS:
        for tick in map(at, ticks):
            await stage.set_clock(tick)
            if tick == KILLED_AT:
                await a.kill()
            await stage.served(tick)
    assert await b.stop() == 0

    async with stage.place.connection() as connection:
        told = [tuple(r) for r in await connection.fetch(TOLD)]
        mailed = Counter(tuple(r) for r in await connection.fetch(MAILED))
    assert set(mailed.values()) == {1}
    assert mailed.keys() == {(user, kind, date) for user, kind, date, _ in told}
    for zone, date, _, checked, reminded in NIGHTS:
        people = {n for n in range(1, PEOPLE + 1) if (n % 2 == 0) == (zone == BERLIN)}
        for kind, due in (("daily_check", at(checked)), ("goal_deadlines", at(reminded))):
            sent = {user: when for user, of, ref, when in told if (of, ref) == (kind, date) and user in people}
            assert sent.keys() == people, (kind, date)
            assert all(due <= when < due + timedelta(minutes=5) for when in sent.values()), (kind, date)
    counted(kills=1, nights=len(NIGHTS), mails=sum(mailed.values()))


def test_the_ticks_are_of_times_that_the_clocks_skip_and_show_twice() -> None:
    """So that a zone's new law does not make the nights ordinary ones."""
    shown = [
        tick.astimezone(ZoneInfo(zone)).strftime("%H:%M") for zone, _, ticks, *_ in NIGHTS for tick in map(at, ticks)
    ]
    assert shown == [
        "01:45", "03:00", "03:15", "01:45", "01:45", "02:15", "01:45", "02:30", "02:45", "01:45", "02:15", "02:15",
    ]  # fmt: skip
