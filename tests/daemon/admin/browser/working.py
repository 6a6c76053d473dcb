"""Jobs that a test steers: they go on until told, and say how far they are."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from daemon.catchup import CatchUp
from daemon.job import Context, Job, Overlap
from daemon.schedule import Cron, OnDemand
from tests.daemon.harness import a_job


@dataclass
class Work:
    """Its body reports each step that it is given, and ends when told."""

    steps: asyncio.Queue[tuple[int, int] | None] = field(default_factory=asyncio.Queue)
    started: asyncio.Event = field(default_factory=asyncio.Event)

    async def body(self, ctx: Context) -> dict[str, Any]:
        self.started.set()
        while (step := await self.steps.get()) is not None:
            ctx.log.warning("step %d of %d", *step)
            await ctx.progress(*step)
        return {"paid": 7, "args": dict(ctx.args)}

    def job(self, name: str = "test.pay") -> Job:
        return a_job(self.body, OnDemand(), name)


async def strictly(ctx: Context) -> dict[str, Any]:
    """Charge each customer what is due."""
    if unknown := ctx.args.keys() - {"customer"}:
        raise ValueError(f"args: {', '.join(sorted(unknown))}: the only one is customer")
    return {"charged": ctx.args}


FEES = a_job(strictly, Cron("30 2 * * *", "Europe/Zurich"), "test.fees")
MONEY = a_job(
    strictly, Cron("0 5 * * *"), "test.money", sensitive=True, catch_up=CatchUp.EACH(9), overlap=Overlap.QUEUE
)
NEVER = a_job(strictly, Cron("0 0 30 2 *"), "test.never")
