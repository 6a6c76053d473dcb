"""What the week before this Sunday brought: people, investments, payouts, withdrawals, revenue."""

from __future__ import annotations

from daemon import CatchUp, Context, Cron, Overlap, Priority, days, job, minutes
from workers.investment.period import last_week, week_before
from workers.investment.reporting import collect, publish, zone_of
from workers.investment.summary import summary


@job(
    Cron("0 6 * * 0", tz="Asia/Kolkata"),
    priority=Priority.MEDIUM,
    timeout=minutes(5),
    catch_up=CatchUp.EACH(8),
    overlap=Overlap.QUEUE,
    retention=days(8 * 366),
    aliases=("weekly-report",),
)
async def weekly_report(ctx: Context) -> None:
    """What the week before this Sunday brought: people, investments, payouts, withdrawals, revenue."""
    week, zone = last_week(ctx.logical_date), zone_of(ctx.due_at)
    before = week_before(week)
    async with ctx.snapshot() as reader:
        collected = await collect(reader, week, before, zone)
    payload = {"timezone": zone, **summary(collected, week, before)}
    async with ctx.completing() as tx:
        await publish(tx, ctx, "weekly", week.end.isoformat(), payload)
