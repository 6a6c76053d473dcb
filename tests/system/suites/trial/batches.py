"""Five batches each two seconds, with time between them for something to go wrong."""

from __future__ import annotations

import asyncio

from daemon import CatchUp, Context, Every, Overlap, job
from trial.effects import LEAVE

LAST = 5


@job(Every(2, phase=0.5), catch_up=CatchUp.EACH(1_000_000), overlap=Overlap.QUEUE)
async def batches(ctx: Context) -> None:
    """Leave one row a batch; a resumed run goes on after the last that was committed."""
    for step in range((ctx.cursor or 0) + 1, LAST):
        async with ctx.transaction(cursor=step) as tx:
            await tx.execute(LEAVE, "trial.batches", ctx.due_at, step, ctx.run_id)
        await asyncio.sleep(0.03)
    async with ctx.completing() as tx:
        await tx.execute(LEAVE, "trial.batches", ctx.due_at, LAST, ctx.run_id)
