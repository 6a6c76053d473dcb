"""Move old sessions to the archive, and delete figures that are older than figures are kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from daemon import CatchUp, Context, Cron, Priority, days, job, minutes, sql, tally
from workers.productivity.settings import Settings

(
    SESSIONS, DAILY_METRICS, WEEKLY_METRICS, MONTHLY_METRICS, ACTIVITY, RETENTION, ANOMALIES, BEHAVIOR, SAMPLES,
) = sql.load(
    __file__, "sessions", "daily_metrics", "weekly_metrics", "monthly_metrics", "activity", "retention", "anomalies",
    "behavior", "samples",
)  # fmt: skip

BATCH = 5_000
SAMPLES_KEPT = timedelta(days=30)
SUPERSEDED_KEPT = timedelta(days=30)

Step = tuple[str, sql.Statement, Sequence[object]]


@job(
    Cron("0 4 * * *", tz="UTC"),
    priority=Priority.LOW,
    timeout=minutes(60),
    catch_up=CatchUp.LATEST,
    retention=days(30),
    aliases=("analytics/dataCleanup",),
)
async def data_cleanup(ctx: Context) -> None:
    """Archive old sessions, delete old figures, in batches."""
    todo = steps(ctx.due_at, ctx.settings)
    begin = ctx.cursor[0] if ctx.cursor else 0
    for n in range(begin, len(todo)):
        while await one_batch(ctx, n, todo[n]) == BATCH:
            await ctx.progress(n, len(todo))
    async with ctx.completing() as tx:
        tx.result(await tally.take(tx, ctx.run_id, [name for name, _, _ in todo]))


def steps(at: datetime, settings: Settings) -> list[Step]:
    """PURE: what goes, in this order, with the instants before which it is old."""
    raw = at - timedelta(days=settings.cleanup_interval_days)
    figures = at - timedelta(days=settings.analytics_retention_days)
    return [
        ("sessions_archived", SESSIONS, (raw, BATCH)),
        ("daily_metrics", DAILY_METRICS, (figures, BATCH)),
        ("weekly_metrics", WEEKLY_METRICS, (figures, BATCH)),
        ("monthly_metrics", MONTHLY_METRICS, (figures, BATCH)),
        ("activity_days", ACTIVITY, (figures, BATCH)),
        ("retention_rows", RETENTION, (figures, BATCH)),
        ("anomalies", ANOMALIES, (figures, BATCH)),
        ("behavior_rows", BEHAVIOR, (figures, BATCH, at - SUPERSEDED_KEPT)),
        ("samples", SAMPLES, (at - SAMPLES_KEPT, BATCH)),
    ]


async def one_batch(ctx: Context, n: int, step: Step) -> int:
    """How many rows it was; they are tallied with what removed them, so that a later try reports them too."""
    name, statement, arguments = step
    batch = ctx.cursor[1] + 1 if ctx.cursor else 1
    async with ctx.transaction(cursor=[n, batch]) as tx:
        gone: int = await tx.fetchval(statement, *arguments)
        await tally.add(tx, ctx.run_id, name, gone)
    return gone
