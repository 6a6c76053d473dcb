"""Delete accounts that were never verified, once a month. Whoever has ordered stays: books refer to them."""

from __future__ import annotations

from datetime import datetime, timedelta

import asyncpg

from daemon import CatchUp, Context, Cron, Priority, Transaction, days, job, minutes, sql, tally
from workers.jewellery.cron_lines import cron_lines

PAGE, LOCK, DELETE, WITH_ORDERS = sql.load(__file__, "page", "lock", "delete", "with_orders")

MOST_IN_A_PAGE = 5_000
REPORTED = ("deleted", "kept_with_orders", "kept_referenced")


@job(
    Cron("0 0 1 * *", tz="Asia/Kolkata"), priority=Priority.LOW, timeout=minutes(30), catch_up=CatchUp.LATEST,
    retention=days(366), aliases=("unverified-user-cleanup",),
)  # fmt: skip
async def unverified_user_cleanup(ctx: Context) -> None:
    """Delete accounts that are unverified after 30 days and have no orders."""
    with cron_lines(ctx, "unverifiedUserCleanup", "cleanup inactive users") as say:
        before = ctx.now() - timedelta(days=ctx.settings.unverified_days)
        while await one_page(ctx, before):
            await ctx.progress(0)
        async with ctx.completing() as tx:
            counts = await tally.take(tx, ctx.run_id, REPORTED)
            tx.result(counts)
        say(f"Cleaned up {counts['deleted']} unverified accounts")


async def one_page(ctx: Context, before: datetime) -> bool:
    """Whether there was one. `kept_referenced` are those that a table which is not ours refers to."""
    after, last_id = ctx.cursor or ("0001-01-01T00:00:00+00:00", "")
    async with ctx.snapshot() as reader:
        page = await reader.fetch(PAGE, before, datetime.fromisoformat(after), last_id, MOST_IN_A_PAGE)
    if not page:
        return False
    cursor = [page[-1]["created_at"].isoformat(), page[-1]["id"]]
    async with ctx.transaction(cursor=cursor) as tx:
        # Locked first and judged by the next statement, which sees every order that was committed before the locks.
        held = [row["id"] for row in await tx.fetch(LOCK, [row["id"] for row in page])]
        deleted = await delete(tx, held)
        ordered = await tx.fetchval(WITH_ORDERS, held)
        kept = {"kept_with_orders": ordered, "kept_referenced": len(held) - deleted - ordered}
        for what, rows in {"deleted": deleted, **kept}.items():
            await tally.add(tx, ctx.run_id, what, rows)
    return True


async def delete(tx: Transaction, ids: list[str]) -> int:
    """Delete those without orders, all at once; where something of the shop's own refers to one, all but that one."""
    try:
        async with tx.savepoint():
            return await tx.execute(DELETE, ids)
    except (asyncpg.ForeignKeyViolationError, asyncpg.RestrictViolationError):
        if len(ids) == 1:
            return 0
        half = len(ids) // 2
        return await delete(tx, ids[:half]) + await delete(tx, ids[half:])
