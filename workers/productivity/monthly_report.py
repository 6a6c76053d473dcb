"""Tell everyone on the first of the month what the month before came to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from daemon import CatchUp, Context, Cron, Priority, days, hours, job, minutes, sql
from workers.productivity.reminding import Reminder, remind
from workers.productivity.settings import ReminderSettings
from workers.productivity.slots import ONE_DAY, Rule, Slot, day_starts, instant

(WRITE,) = sql.load(__file__, "write")


@job(
    Cron("*/15 * * * *", tz="UTC"),
    priority=Priority.MEDIUM,
    timeout=minutes(15),
    catch_up=CatchUp.LATEST,
    aliases=("reminder/monthlyReport",),
)
async def monthly_report(ctx: Context) -> None:
    """Tell everyone on the first of the month what the month before came to."""
    await remind(ctx, REMINDER, rule(ctx.settings.reminders))


def rule(settings: ReminderSettings) -> Rule:
    return Rule(settings.monthly_report_at, hours(settings.window_hours), month_day=1)


def month_before(day: date) -> date:
    """The first of the month before that of `day`."""
    return (day.replace(day=1) - ONE_DAY).replace(day=1)


def details(slot: Slot, _settings: ReminderSettings) -> Mapping[str, Any]:
    month = month_before(slot.date)
    return {
        "month": month,
        "before": instant(slot.clock, month_before(month)),
        "starts": day_starts(slot.clock, month, (slot.date - month).days),
    }


REMINDER = Reminder("monthly_report", WRITE, worth_for=days(3), details=details)
