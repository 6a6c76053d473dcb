"""A run that does what none may: it holds the event loop."""

from __future__ import annotations

import time

from daemon import Context, OnDemand, job


@job(OnDemand())
async def block(ctx: Context) -> None:
    """Block the loop for args.seconds, at the first try."""
    if ctx.attempt == 1:
        time.sleep(ctx.args["seconds"])
