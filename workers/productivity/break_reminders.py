"""Remind of a break whoever has focused for 25 minutes without one, in working hours of their own clock."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from daemon import CatchUp, Context, Cron, Priority, job, minutes, sql
from workers.productivity import many_people
from workers.productivity.reminding import zones_with_people
from workers.productivity.settings import Settings
from workers.productivity.slots import Clocks, local

(WRITE,) = sql.load(__file__, "write")
KIND = "break_reminders"
EVERY, FIRST_HOUR, LAST_HOUR = 25, 9, 17
"""The local times of `*/25 9-17`: minutes 0, 25 and 50."""
TICK = 5
"""Minutes between scheduled runs. One at any other time was asked for by a person, who means now."""


@job(
    Cron(f"*/{TICK} * * * *", tz="UTC"),
    priority=Priority.LOW,
    timeout=minutes(1),
    catch_up=CatchUp.NONE,
    aliases=("reminder/breakReminders",),
)
async def break_reminders(ctx: Context) -> None:
    """Remind of a break whoever has focused for 25 minutes without one, in working hours of their own clock."""
    settings: Settings = ctx.settings
    people, clocks = await zones_with_people(ctx, KIND)
    due = at_work(people, clocks, ctx.due_at)
    counts: dict[str, Any] = {"zones": len(due), "sent": 0, "suppressed": {}}
    async with ctx.completing() as tx:
        if due:
            await tx.execute(many_people.SET_UP)
            row = await tx.fetchrow(
                WRITE, json.dumps(due), ctx.due_at, settings.frontend_url, settings.reminders.break_after_minutes
            )
            assert row is not None
            counts |= {"sent": row["sent"], "suppressed": json.loads(row["suppressed"])}
        tx.result(counts)


def at_work(zones: Iterable[str], clocks: Clocks, tick: datetime) -> list[dict[str, Any]]:
    """The zones whose clocks show one of the local times at this tick, with what they show: weekday and time.

    By hand any minute of those hours is one.
    """
    by_hand = tick.minute % TICK != 0 or tick.second != 0
    shown = [(zone, local(clocks.of(zone)[0], tick)) for zone in zones]
    return [
        {"zone": zone, "isodow": at.isoweekday(), "clock": at.strftime("%H:%M")}
        for zone, at in shown
        if FIRST_HOUR <= at.hour <= LAST_HOUR and (by_hand or at.minute % EVERY == 0)
    ]
