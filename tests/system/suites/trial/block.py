"""A run that does what none may: it holds the event loop."""

from __future__ import annotations

import time

from daemon import Context, OnDemand, job


@job(OnDemand())
async def block(ctx: Context) -> None:
    """Block the loop for args.seconds."""
    time.sleep(ctx.args["seconds"])
