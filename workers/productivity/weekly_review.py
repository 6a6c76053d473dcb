"""Tell everyone on Sunday evening what their last seven days came to, and what is next."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from daemon import CatchUp, Context, Cron, Priority, hours, job, minutes, sql
from workers.productivity.reminding import Reminder, remind
from workers.productivity.settings import ReminderSettings
from workers.productivity.slots import ONE_DAY, Rule, Slot, day_starts, instant

(WRITE,) = sql.load(__file__, "write")
SUNDAY = 7
WEEK = 7
AWAY = timedelta(days=30)
"""After which inactive_users has sent its last mail: then goals of that time are no reason for others."""


@job(
    Cron("*/15 * * * *", tz="UTC"),
    priority=Priority.MEDIUM,
    timeout=minutes(15),
    catch_up=CatchUp.LATEST,
    aliases=("reminder/weeklyReview",),
)
async def weekly_review(ctx: Context) -> None:
    """Tell everyone on Sunday evening what their last seven days came to, and what is next."""
    await remind(ctx, REMINDER, rule(ctx.settings.reminders))


def rule(settings: ReminderSettings) -> Rule:
    return Rule(settings.weekly_review_at, hours(settings.window_hours), isoweekday=SUNDAY)


def details(slot: Slot, _settings: ReminderSettings) -> Mapping[str, Any]:
    """Seven local dates with this one the last, which is not over: the mail says so. And the seven before."""
    first = slot.date - (WEEK - 1) * ONE_DAY
    return {
        "before": instant(slot.clock, first - WEEK * ONE_DAY),
        "first": first,
        "starts": day_starts(slot.clock, first, WEEK),
        "away_since": instant(slot.clock, slot.date - AWAY),
        "forgotten": slot.date - AWAY,
    }


REMINDER = Reminder("weekly_review", WRITE, worth_for=hours(24), details=details)
