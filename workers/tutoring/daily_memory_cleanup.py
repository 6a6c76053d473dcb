"""Remove what students' conversations were remembered by, once it is over eight months old or has expired."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from daemon import CatchUp, Context, Cron, Priority, Reader, days, job, minutes, sql, tally
from workers.tutoring.settings import Settings

CUTOFF, MEASURE, STOPS, REMOVE, WHAT_IS_LEFT = sql.load(
    __file__, "cutoff", "measure", "stops", "remove", "what_is_left"
)

BEFORE = ("found", "found_bytes", "physical_bytes_before")
REMOVED = ("rows", "bytes")

Old = tuple[datetime, datetime]
"""Created before the first, or expired by the second."""


async def dry_run(ctx: Context) -> dict[str, Any]:
    """What a run for this instant would remove, and the space it takes."""
    async with ctx.snapshot() as reader:
        old = await what_is_old(reader, ctx)
        found = await reader.fetchrow(MEASURE, *old)
    assert found is not None
    return {
        "cutoff": old[0].isoformat(),
        "would_remove": found["found"],
        "logical_bytes": found["found_bytes"],
        "physical_bytes": found["physical_bytes_before"],
    }


@job(
    Cron("0 0 * * *", tz="UTC"),
    priority=Priority.HIGH,
    timeout=minutes(5),
    catch_up=CatchUp.LATEST,
    retention=days(30),
    aliases=("daily-memory-cleanup",),
    dry_run=dry_run,
)
async def daily_memory_cleanup(ctx: Context) -> None:
    """Remove conversation memories that are over eight months old or have expired."""
    settings: Settings = ctx.settings
    async with ctx.snapshot() as reader:
        old = await what_is_old(reader, ctx)
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


async def what_is_old(reader: Reader, ctx: Context) -> Old:
    """Of the instant that is due, so that every try of a run means the same."""
    settings: Settings = ctx.settings
    cutoff: datetime = await reader.fetchval(CUTOFF, ctx.due_at, settings.cleanup.memory_months)
    return cutoff, ctx.due_at


async def measure(ctx: Context, old: Old) -> None:
    """Count what will go, and the space it takes, before anything is deleted."""
    async with ctx.transaction(cursor=0) as tx:
        before = await tx.fetchrow(MEASURE, *old)
        assert before is not None
        for what in BEFORE:
            await tally.add(tx, ctx.run_id, what, before[what])


async def complete(ctx: Context, old: Old) -> None:
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
