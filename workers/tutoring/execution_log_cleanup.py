"""Remove old checks, incidents and changes of state. The runs of jobs are the engine's: they go with `retention`."""

from __future__ import annotations

from datetime import datetime, timedelta

from daemon import CatchUp, Context, Cron, Priority, days, job, minutes, sql, tally
from workers.tutoring.settings import Settings

(REMOVE,) = sql.load(__file__, "remove")

LOGS = ("provider_checks", "system_checks", "transitions", "incidents")


@job(
    Cron("0 5 * * *", tz="UTC"),
    priority=Priority.LOW,
    timeout=minutes(2),
    catch_up=CatchUp.LATEST,
    retention=days(30),
    aliases=("execution-log-cleanup",),
)
async def execution_log_cleanup(ctx: Context) -> None:
    """Remove old checks, incidents and changes of providers' states."""
    settings: Settings = ctx.settings
    checks = ctx.due_at - timedelta(days=settings.cleanup.check_days)
    history = ctx.due_at - timedelta(days=settings.cleanup.history_days)
    while await one_batch(ctx, checks, history, settings.cleanup.batch):
        await ctx.progress(ctx.cursor)
    async with ctx.completing() as tx:
        tx.result(await tally.take(tx, ctx.run_id, LOGS))


async def one_batch(ctx: Context, checks: datetime, history: datetime, most: int) -> bool:
    """Whether there may be more."""
    async with ctx.transaction(cursor=(ctx.cursor or 0) + 1) as tx:
        gone = await tx.fetchrow(REMOVE, checks, history, most)
        assert gone is not None
        for log in LOGS:
            await tally.add(tx, ctx.run_id, log, gone[log])
    return any(gone[log] == most for log in LOGS)
