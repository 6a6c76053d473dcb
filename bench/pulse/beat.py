"""Wake every few milliseconds on the daemon's own event loop, and report how late that was."""

from __future__ import annotations

import asyncio
from pathlib import Path

from daemon import Context, OnDemand, job, minutes

EVERY = 0.005


@job(OnDemand(), timeout=minutes(60))
async def beat(ctx: Context) -> None:
    """Until the file of the argument `while` is gone. Reports the lateness in milliseconds, worst and p99.

    `own` is the worst without the time in which the loop was ready and other processes had the cores.
    """
    sign, loop = Path(ctx.args["while"]), asyncio.get_running_loop()
    late, own, waited = [], 0.0, waited_for_a_core()
    while sign.exists():
        due = loop.time() + EVERY
        await asyncio.sleep(EVERY)
        late.append(1000 * (loop.time() - due))
        before, waited = waited, waited_for_a_core()
        own = max(own, late[-1] - (waited - before))
    late.sort()
    async with ctx.completing() as tx:
        tx.result({"beats": len(late), "worst": late[-1], "p99": late[int(len(late) * 0.99)], "own": own})


def waited_for_a_core() -> float:
    """Milliseconds that this thread was ready to run and did not, as the kernel counts them."""
    return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e6
