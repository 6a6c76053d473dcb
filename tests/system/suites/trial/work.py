"""A queue of items, some of them poison."""

from __future__ import annotations

from collections.abc import Sequence

from daemon import Context, QueueItem, Transaction, WorkQueue, minutes, poll, seconds
from trial.deeds import deed
from trial.effects import DONE

QUEUE = WorkQueue("trial.item", key="key")
PER_ITEM = seconds(0.5)


@poll(seconds(30), wake=QUEUE, timeout=minutes(2))
async def work(ctx: Context) -> object:
    """Do every item in a worker, and leave a row for each."""

    async def perform(item: QueueItem) -> int:
        return int(await ctx.compute(deed, item.key, timeout=PER_ITEM))

    async def save(tx: Transaction, pairs: Sequence[tuple[QueueItem, int]]) -> None:
        await tx.execute(DONE, [value for _, value in pairs])

    done = 0
    async for drained in ctx.drain(QUEUE, perform, save, timeout=PER_ITEM):
        done += drained.done
    return {"done": done} if done else None
