"""Tell everyone in the morning which of their goals are due tomorrow, and within the week after."""

from __future__ import annotations

from daemon import CatchUp, Context, Cron, Priority, hours, job, minutes, sql
from workers.productivity.reminding import Reminder, remind
from workers.productivity.settings import ReminderSettings
from workers.productivity.slots import Rule

(WRITE,) = sql.load(__file__, "write")
REMINDER = Reminder("goal_deadlines", WRITE, worth_for=hours(15))


@job(
    Cron("*/15 * * * *", tz="UTC"),
    priority=Priority.MEDIUM,
    timeout=minutes(10),
    catch_up=CatchUp.LATEST,
    aliases=("reminder/goalDeadlines",),
)
async def goal_deadlines(ctx: Context) -> None:
    """Tell everyone in the morning which of their goals are due tomorrow, and within the week after."""
    await remind(ctx, REMINDER, rule(ctx.settings.reminders))


def rule(settings: ReminderSettings) -> Rule:
    return Rule(settings.goal_deadlines_at, hours(settings.window_hours))
