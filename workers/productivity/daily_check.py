"""Ask everyone in the evening who has not focused today, while they still come: later inactive_users does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from daemon import CatchUp, Context, Cron, Priority, hours, job, minutes, sql
from workers.productivity.reminding import Reminder, remind
from workers.productivity.settings import ReminderSettings
from workers.productivity.slots import ONE_DAY, Rule, Slot, day_starts

(WRITE,) = sql.load(__file__, "write")
DAYS_SHOWN = 7


@job(
    Cron("*/15 * * * *", tz="UTC"),
    priority=Priority.MEDIUM,
    timeout=minutes(10),
    catch_up=CatchUp.LATEST,
    aliases=("reminder/dailyCheck",),
)
async def daily_check(ctx: Context) -> None:
    """Ask everyone in the evening who has not focused today, while they still come: later inactive_users does."""
    await remind(ctx, REMINDER, rule(ctx.settings.reminders))


def rule(settings: ReminderSettings) -> Rule:
    return Rule(settings.daily_check_at, hours(settings.daily_check_window_hours))


def details(slot: Slot, settings: ReminderSettings) -> Mapping[str, Any]:
    """The last days, today included, and how far back activity may lie."""
    first = slot.date - (DAYS_SHOWN - 1) * ONE_DAY
    starts = day_starts(slot.clock, first, DAYS_SHOWN)
    return {
        "first": first,
        "starts": starts,
        "today": starts[-2],
        "active_since": slot.due_at - timedelta(days=settings.daily_check_days),
    }


REMINDER = Reminder("daily_check", WRITE, worth_for=hours(5), details=details)
