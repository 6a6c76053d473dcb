"""A run that does what none may: it does not end when it is told to."""

from __future__ import annotations

import asyncio
import time

from daemon import Context, OnDemand, job, minutes


@job(OnDemand(), timeout=minutes(10))
async def stubborn(ctx: Context) -> None:
    """Swallow every cancellation for args.seconds; with args.thread, hold a thread for as long."""
    if ctx.args.get("thread"):
        await asyncio.to_thread(time.sleep, ctx.args["seconds"])
    until = time.monotonic() + ctx.args["seconds"]
    while time.monotonic() < until:
        try:
            await asyncio.sleep(until - time.monotonic())
        except asyncio.CancelledError:
            continue
