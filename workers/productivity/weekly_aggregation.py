"""What the week from Sunday to Saturday came to that has just ended, beside the one before."""

from __future__ import annotations

from datetime import timedelta

from daemon import CatchUp, Context, Cron, Overlap, Priority, days, job, minutes
from workers.productivity.rollups import WEEKLY, roll_up
from workers.productivity.zone_days import sundays_week


@job(
    Cron("0 2 * * 0", tz="UTC"),
    priority=Priority.MEDIUM,
    timeout=minutes(10),
    catch_up=CatchUp.EACH(8),
    overlap=Overlap.QUEUE,
    after=("productivity.daily_analytics",),
    business_day_offset=1,
    retention=days(366),
    aliases=("analytics/weeklyAggregation",),
)
async def weekly_aggregation(ctx: Context) -> None:
    """What the week that has just ended came to, of the days' figures; daily_analytics keeps it true afterwards."""
    week = sundays_week(ctx.business_date - timedelta(days=6))
    async with ctx.completing() as tx:
        tx.result(await roll_up(tx, WEEKLY, week))
