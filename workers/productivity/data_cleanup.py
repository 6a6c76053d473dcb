"""Move old sessions to the archive, and delete what is older than it is kept: figures, samples, who was reminded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from daemon import CatchUp, Context, Cron, Priority, days, job, minutes, sql, tally
from workers.productivity import many_people
from workers.productivity.settings import Settings

SESSIONS, ROWS, BEHAVIOR = sql.load(__file__, "sessions", "rows", "behavior")

BATCH = 5_000
SAMPLES_KEPT = timedelta(days=30)
SUPERSEDED_KEPT = timedelta(days=30)
REMINDED_KEPT = timedelta(days=60)
"""The longest that a reminder asks who was told before is an absence of 30 days, and the 2 that it may be late."""

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
    """Archive old sessions, delete old figures and notes of reminders, in batches."""
    todo = steps(ctx.due_at, ctx.settings)
    begin = ctx.cursor[0] if ctx.cursor else 0
    for n in range(begin, len(todo)):
        while await one_batch(ctx, n, todo[n]) == BATCH:
            await ctx.progress(n, len(todo))
    async with ctx.completing() as tx:
        tx.result(await tally.take(tx, ctx.run_id, [name for name, _, _ in todo]))


def steps(at: datetime, settings: Settings) -> list[Step]:
    """PURE: what goes, in this order, with the instants before which it is old. Figures are of whole days, and go with
    the week or month that they are of."""
    raw = at - timedelta(days=settings.cleanup_interval_days)
    days_kept = at - timedelta(days=settings.analytics_retention_days)
    day = days_kept.replace(hour=0, minute=0, second=0, microsecond=0)
    return [
        ("sessions_archived", SESSIONS, (raw, BATCH)),
        old("daily_metrics", "metric_daily", "day", day),
        old("weekly_metrics", "metric_weekly", "week_start", day - timedelta(days=6)),
        old("monthly_metrics", "metric_monthly", "month", day.replace(day=1)),
        old("activity_days", "activity_day", "day", day),
        old("retention_rows", "retention", "cohort_day", day),
        old("anomalies", "anomaly", "at", day),
        ("behavior_rows", BEHAVIOR, (day, BATCH, at - SUPERSEDED_KEPT)),
        old("samples", "perf_sample", "at", at - SAMPLES_KEPT),
        old("reminders", "reminder_log", "sent_at", at - REMINDED_KEPT),
        old("reminder_slots", "reminder_slot", "due_at", at - REMINDED_KEPT),
    ]


def old(name: str, table: str, column: str, before: datetime) -> Step:
    return name, ROWS.on(table=table, column=column), (before, BATCH)


async def one_batch(ctx: Context, n: int, step: Step) -> int:
    """How many rows it was; they are tallied with what removed them, so that a later try reports them too."""
    name, statement, arguments = step
    batch = ctx.cursor[1] + 1 if ctx.cursor else 1
    async with ctx.transaction(cursor=[n, batch]) as tx:
        await tx.execute(many_people.SET_UP)
        gone: int = await tx.fetchval(statement, *arguments)
        await tally.add(tx, ctx.run_id, name, gone)
    return gone
