"""Move conversations that nobody has written into for half a year to the archive, with their messages."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from daemon import CatchUp, Context, Cron, Priority, days, job, minutes, sql, tally
from workers.tutoring.settings import Settings

STOPS, HOLD, MOVE, LEFT_BEHIND = sql.load(__file__, "stops", "hold", "move", "left_behind")

MOVED = ("conversations", "messages")


async def dry_run(ctx: Context) -> dict[str, Any]:
    """How many conversations a run for this instant would move."""
    old = older_than(ctx)
    async with ctx.snapshot() as reader:
        return {"older_than": old.isoformat(), "would_move": await reader.fetchval(LEFT_BEHIND, old)}


def older_than(ctx: Context) -> datetime:
    settings: Settings = ctx.settings
    return ctx.due_at - timedelta(days=settings.cleanup.archive_days)


@job(
    Cron("0 2 15 * *", tz="UTC"),
    priority=Priority.MEDIUM,
    timeout=minutes(30),
    expected=minutes(5),
    catch_up=CatchUp.LATEST,
    retention=days(366),
    aliases=("archive-conversations",),
    dry_run=dry_run,
)
async def archive_conversations(ctx: Context) -> None:
    """Move conversations that nobody has written into for half a year to the archive, with their messages."""
    settings: Settings = ctx.settings
    old = older_than(ctx)
    async with ctx.snapshot() as reader:
        stops: list[int] = await reader.fetchval(STOPS, old, ctx.cursor or 0, settings.cleanup.conversations)
    for n, stop in enumerate(stops):
        await one_batch(ctx, old, stop)
        await ctx.progress(n + 1, len(stops))
    async with ctx.completing() as tx:
        left: int = await tx.fetchval(LEFT_BEHIND, old)
        tx.result(
            {"older_than": old.isoformat(), **await tally.take(tx, ctx.run_id, MOVED), "left_behind": left}
        )  # fmt: skip


async def one_batch(ctx: Context, old: datetime, stop: int) -> None:
    """Move the conversations after the cursor up to `stop`, each with all its messages or not at all."""
    above = ctx.cursor or 0
    async with ctx.transaction(cursor=stop) as tx:
        ids: list[int] = await tx.fetchval(HOLD, old, above, stop)
        moved = await tx.fetchrow(MOVE, ids, ctx.now())
        assert moved is not None
        for what in MOVED:
            await tally.add(tx, ctx.run_id, what, moved[what])
