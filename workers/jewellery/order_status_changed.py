"""Tell customers what becomes of their orders, whoever changed them: within a moment, once for each order and state."""

from __future__ import annotations

from collections.abc import Sequence

from daemon import Context, Priority, QueueItem, Transaction, WorkQueue, days, minutes, poll, seconds, sql
from workers.jewellery.order_history import Change, record
from workers.jewellery.settings import Settings

(CHANGE,) = sql.load(__file__, "change")

QUEUE = WorkQueue("jewellery.order_status_queue", key="change_no")


@poll(
    seconds(2), wake=QUEUE, priority=Priority.HIGH, timeout=minutes(1), connections=3, retention=days(30),
    aliases=("order-status-changed",),
)  # fmt: skip
async def order_status_changed(ctx: Context) -> dict[str, int] | None:
    """Tell customers what becomes of their orders."""
    settings: Settings = ctx.settings
    told = 0

    async def perform(item: QueueItem) -> Change:
        async with ctx.snapshot() as reader:
            row = await reader.fetchrow(CHANGE, item.key)
        assert row is not None
        return Change(row["order_id"], row["status"], row["changed_at"], "shop")

    async def save(tx: Transaction, done: Sequence[tuple[QueueItem, Change]]) -> None:
        nonlocal told
        changes = [change for _, change in done]
        told += await record(tx, changes, run_id=ctx.run_id, now=ctx.now(), delivery_days=settings.delivery_days)

    counts = {"changes": 0, "failed": 0, "dead": 0}
    async for drained in ctx.drain(QUEUE, perform, save):
        counts["changes"] += drained.done
        counts["failed"] += drained.failed
        counts["dead"] += drained.dead
    return counts | {"told": told} if any(counts.values()) else None
