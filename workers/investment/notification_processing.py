"""Turn the platform's notifications into messages of the outbox, which the engine delivers; and tell how that goes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from daemon import CatchUp, Context, Cron, Priority, Row, days, hours, job, minutes, sql, tally
from workers.investment.audience import NotificationSettings
from workers.investment.settings import Settings

ANY_STALE, STALE, ANY_PERSONAL, PERSONAL, NEXT_TO_ALL, TO_ALL, RETRY_FAILED, ACCOUNT = sql.load(
    __file__, "any_stale", "stale", "any_personal", "personal", "next_to_all", "to_all", "retry_failed", "account"
)

STEPS = ("stale", "personal", "to_nobody", "to_all")

EVERY = minutes(5)
RETRY_WINDOW = hours(24)
"""How far back failed messages are looked for: longer than any pause of this job that nobody notices."""


@job(
    Cron("*/5 * * * *", tz="Asia/Kolkata"),
    priority=Priority.HIGH,
    timeout=minutes(4),
    catch_up=CatchUp.LATEST,
    retention=days(30),
    aliases=("notification-processing",),
)
async def notification_processing(ctx: Context) -> None:
    """Turn the platform's notifications into messages of the outbox, which the engine delivers."""
    settings: Settings = ctx.settings
    notes = settings.notifications
    await pass_stale(ctx, notes)
    await write_personal(ctx, notes)
    await write_to_all(ctx, notes)
    async with ctx.completing() as tx:
        retried = 0
        if notes.retry_failed_after_hours:
            until = ctx.now() - timedelta(hours=notes.retry_failed_after_hours)
            retried = await tx.fetchval(RETRY_FAILED, until - RETRY_WINDOW, until, notes.page, ctx.run_id)
        counts = await tally.take(tx, ctx.run_id, STEPS)
        account = accounted(await tx.fetch(ACCOUNT, ctx.now() - EVERY))
        tx.result(counts | {"retried": retried, "channels": account})
    if counts["stale"]:
        ctx.log.warning("%d notifications were too old and go to nobody", counts["stale"])


async def pass_stale(ctx: Context, notes: NotificationSettings) -> None:
    """Before anything is written: after days of silence nobody wants all of its news at once."""
    before = ctx.due_at - timedelta(hours=notes.stale_after_hours)
    while await waiting(ctx, ANY_STALE, before):
        async with ctx.transaction(cursor=next_cursor(ctx)) as tx:
            passed = await tx.fetchval(STALE, before, notes.page)
            await tally.add(tx, ctx.run_id, "stale", passed)


async def write_personal(ctx: Context, notes: NotificationSettings) -> None:
    while await waiting(ctx, ANY_PERSONAL):
        async with ctx.transaction(cursor=next_cursor(ctx)) as tx:
            page = await tx.fetchrow(PERSONAL, notes.page, ctx.run_id)
            assert page is not None
            await tally.add(tx, ctx.run_id, "personal", page["written"])
            await tally.add(tx, ctx.run_id, "to_nobody", page["seen"] - page["written"])


async def write_to_all(ctx: Context, notes: NotificationSettings) -> None:
    """Page by page; how far a notification has come is kept in its row, by the page's own transaction."""
    while (id_ := await waiting(ctx, NEXT_TO_ALL)) is not None:
        async with ctx.transaction(cursor=next_cursor(ctx)) as tx:
            written = await tx.fetchval(TO_ALL, id_, notes.page, ctx.run_id)
            await tally.add(tx, ctx.run_id, "to_all", written)


async def waiting(ctx: Context, statement: sql.Statement, *args: object) -> Any:
    """Asked before a transaction is begun: most passes have nothing to do, and write nothing."""
    async with ctx.snapshot() as reader:
        return await reader.fetchval(statement, *args)


def next_cursor(ctx: Context) -> int:
    """Where a try goes on is in the tables; the cursor only has to move."""
    return int(ctx.cursor or 0) + 1


def accounted(rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    """Channel → state → messages; settled ones are those of the last five minutes, pending ones all that wait."""
    account: dict[str, dict[str, Any]] = {}
    for row in rows:
        channel = account.setdefault(row["channel"], {})
        channel[row["state"]] = row["messages"]
        if row["oldest"] is not None:
            channel["oldest_pending"] = row["oldest"].isoformat()
    return account
