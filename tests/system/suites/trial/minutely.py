"""One effect for each minute: what a clock that leaps for hours is tried on."""

from __future__ import annotations

from daemon import CatchUp, Context, Cron, Overlap, job
from trial.effects import LEAVE


@job(Cron("*/1 * * * *"), catch_up=CatchUp.EACH(1_000_000), overlap=Overlap.QUEUE)
async def minutely(ctx: Context) -> None:
    """Leave one row."""
    async with ctx.completing() as tx:
        await tx.execute(LEAVE, "trial.minutely", ctx.due_at, 0, ctx.run_id)
