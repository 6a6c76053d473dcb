"""Remove expired entries of the cache."""

from __future__ import annotations

from daemon import CatchUp, Context, Cron, Priority, days, job, minutes, sql, tally
from workers.tutoring.settings import Settings

(REMOVE,) = sql.load(__file__, "remove")

COUNTED = ("removed", "bytes_freed")


@job(
    Cron("0 */6 * * *", tz="UTC"),
    priority=Priority.LOW,
    timeout=minutes(2),
    catch_up=CatchUp.LATEST,
    retention=days(30),
    aliases=("cache-cleanup",),
)
async def cache_cleanup(ctx: Context) -> None:
    """Remove expired entries of the cache."""
    settings: Settings = ctx.settings
    while await one_batch(ctx, settings.cleanup.batch):
        await ctx.progress(ctx.cursor)
    async with ctx.completing() as tx:
        tx.result(await tally.take(tx, ctx.run_id, COUNTED))


async def one_batch(ctx: Context, most: int) -> int:
    """How many entries it was."""
    async with ctx.transaction(cursor=(ctx.cursor or 0) + 1) as tx:
        gone = await tx.fetchrow(REMOVE, ctx.due_at, most)
        assert gone is not None
        for what in COUNTED:
            await tally.add(tx, ctx.run_id, what, gone[what])
    removed: int = gone["removed"]
    return removed
