"""Take a minute, or as long as a file is not there."""

import asyncio
from pathlib import Path

from daemon import Context, OnDemand, job


@job(OnDemand())
async def slow(ctx: Context) -> None:
    """`until`: the path of that file."""
    if "until" not in ctx.args:
        await asyncio.sleep(60)
        return
    while not Path(ctx.args["until"]).exists():
        await asyncio.sleep(0.02)
