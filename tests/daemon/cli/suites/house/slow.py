"""Take `s` seconds."""

import asyncio

from daemon import Context, OnDemand, job


@job(OnDemand())
async def slow(ctx: Context) -> None:
    await asyncio.sleep(ctx.args.get("s", 60))
