"""Remove what students' conversations were remembered by, once it is over eight months old or has expired."""

from __future__ import annotations

from datetime import datetime

from daemon import CatchUp, Context, Cron, Priority, days, job, minutes, sql, tally
from workers.tutoring.settings import Settings

CUTOFF, MEASURE, STOPS, REMOVE, WHAT_IS_LEFT = sql.load(
    __file__, "cutoff", "measure", "stops", "remove", "what_is_left"
)

BEFORE = ("found", "found_bytes", "physical_bytes_before")
REMOVED = ("rows", "bytes")


@job(
    Cron("0 0 * * *", tz="UTC"),
    priority=Priority.HIGH,
    timeout=minutes(5),
    catch_up=CatchUp.LATEST,
    retention=days(30),
    aliases=("daily-memory-cleanup",),
)
async def daily_memory_cleanup(ctx: Context) -> None:
    """Remove conversation memories that are over eight months old or have expired."""
    settings: Settings = ctx.settings
    async with ctx.snapshot() as reader:
        cutoff: datetime = await reader.fetchval(CUTOFF, ctx.due_at, settings.cleanup.memory_months)
    old = (cutoff, ctx.due_at)
    if ctx.cursor is None:
        await measure(ctx, old)
    async with ctx.snapshot() as reader:
        stops: list[int] = await reader.fetchval(STOPS, *old, ctx.cursor, settings.cleanup.batch)
    for n, stop in enumerate(stops):
        async with ctx.transaction(cursor=stop) as tx:
            gone = await tx.fetchrow(REMOVE, *old, ctx.cursor, stop)
            assert gone is not None
            for what in REMOVED:
                await tally.add(tx, ctx.run_id, what, gone[what])
        await ctx.progress(n + 1, len(stops))
    await complete(ctx, old)


async def measure(ctx: Context, old: tuple[datetime, datetime]) -> None:
    """Count what will go, and the space it takes, before anything is deleted."""
    async with ctx.transaction(cursor=0) as tx:
        before = await tx.fetchrow(MEASURE, *old)
        assert before is not None
        for what in BEFORE:
            await tally.add(tx, ctx.run_id, what, before[what])


async def complete(ctx: Context, old: tuple[datetime, datetime]) -> None:
    """Deleted rows free space inside the files; the files shrink when VACUUM gives their end back."""
    async with ctx.completing() as tx:
        left = await tx.fetchrow(WHAT_IS_LEFT, *old)
        assert left is not None
        counts = await tally.take(tx, ctx.run_id, (*BEFORE, *REMOVED))
        tx.result(
            {
                "cutoff": old[0].isoformat(),
                "found": counts["found"],
                "logical_bytes_found": counts["found_bytes"],
                "removed": counts["rows"],
                "logical_bytes_freed": counts["bytes"],
                "physical_bytes_before": counts["physical_bytes_before"],
                "physical_bytes_after": left["physical_bytes"],
                "left_behind": left["left_behind"],
            }
        )
