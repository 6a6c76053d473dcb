"""One effect for each second, in order, whatever happens."""

from __future__ import annotations

from daemon import CatchUp, Context, Every, Overlap, Priority, job
from trial.effects import LEAVE


@job(Every(1, phase=0), catch_up=CatchUp.EACH(1_000_000), overlap=Overlap.QUEUE, priority=Priority.CRITICAL)
async def tick(ctx: Context) -> None:
    """Leave one row."""
    async with ctx.completing() as tx:
        await tx.execute(LEAVE, "trial.tick", ctx.due_at, 0, ctx.run_id)
