"""Work the queue; item 13 never succeeds."""

from collections.abc import Sequence
from typing import Any

from daemon import Context, QueueItem, WorkQueue, poll, seconds

QUEUE = WorkQueue("house.todo", key="item_id", max_failures=1)


@poll(seconds(30), wake=QUEUE)
async def drain(ctx: Context) -> None:
    async def perform(item: QueueItem) -> int:
        if item.key == 13:
            raise RuntimeError("unlucky")
        return item.key

    async def save(tx: Any, pairs: Sequence[tuple[QueueItem, int]]) -> None:
        """The items' disappearance is all there is to save."""

    async for _ in ctx.drain(QUEUE, perform, save):
        pass
