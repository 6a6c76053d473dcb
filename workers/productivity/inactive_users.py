"""Write to everyone who has stayed away for 7, 14 and 30 days, and then no more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from daemon import CatchUp, Context, Cron, Priority, hours, job, minutes, sql
from workers.productivity.reminding import Reminder, remind
from workers.productivity.settings import ReminderSettings
from workers.productivity.slots import ONE_DAY, Rule, Slot, instant

(WRITE,) = sql.load(__file__, "write")
LADDER = (7, 14, 30)
GRACE = 2
"""Days for which a step that downtime left out is made up for."""


@job(
    Cron("*/15 * * * *", tz="UTC"),
    priority=Priority.MEDIUM,
    timeout=minutes(10),
    catch_up=CatchUp.LATEST,
    aliases=("reminder/inactiveUsers",),
)
async def inactive_users(ctx: Context) -> None:
    """Write to everyone who has stayed away for 7, 14 and 30 days, and then no more."""
    await remind(ctx, REMINDER, rule(ctx.settings.reminders))


def rule(settings: ReminderSettings) -> Rule:
    return Rule(settings.inactive_users_at, hours(settings.window_hours))


def details(slot: Slot, _settings: ReminderSettings) -> Mapping[str, Any]:
    """For each step, between which instants the last activity was: so many local dates ago, or `GRACE` more; and before
    which ones it was a day more."""
    return {
        "steps": [
            {
                "step": step,
                "earliest": instant(slot.clock, slot.date - (step + GRACE) * ONE_DAY),
                "latest": instant(slot.clock, slot.date - (step - 1) * ONE_DAY),
                "late": [instant(slot.clock, slot.date - (step + n) * ONE_DAY) for n in range(GRACE)],
            }
            for step in LADDER
        ]
    }


REMINDER = Reminder("inactive_users", WRITE, worth_for=hours(12), details=details)
