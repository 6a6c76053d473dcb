"""A run that takes as long as its request says, and leaves one effect at its end."""

from __future__ import annotations

import asyncio

from daemon import Context, OnDemand, Overlap, job, minutes
from trial.effects import LEAVE


@job(OnDemand(), timeout=minutes(10), overlap=Overlap.ALLOW)
async def long(ctx: Context) -> None:
    """Sleep for args.seconds, then leave one row."""
    await asyncio.sleep(ctx.args["seconds"])
    async with ctx.completing() as tx:
        await tx.execute(LEAVE, "trial.long", ctx.due_at, 0, ctx.run_id)
