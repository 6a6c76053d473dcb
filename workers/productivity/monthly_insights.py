"""What the calendar month before this one came to, beside the one before it, and how many of its people stayed."""

from __future__ import annotations

from datetime import timedelta

from daemon import CatchUp, Context, Cron, Overlap, Priority, days, job, minutes
from workers.productivity.rollups import MONTHLY, roll_up


@job(
    Cron("0 3 1 * *", tz="UTC"),
    priority=Priority.MEDIUM,
    timeout=minutes(10),
    catch_up=CatchUp.EACH(12),
    overlap=Overlap.QUEUE,
    after=("productivity.daily_analytics",),
    retention=days(3 * 366),
    aliases=("analytics/monthlyInsights",),
)
async def monthly_insights(ctx: Context) -> None:
    """What the month before came to, of the days' figures; daily_analytics keeps it true afterwards."""
    month = (ctx.logical_date.replace(day=1) - timedelta(days=1)).replace(day=1)
    async with ctx.completing() as tx:
        tx.result(await roll_up(tx, MONTHLY, month))
