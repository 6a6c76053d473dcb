"""Jobs of the engine with no-op bodies. What the ledger says afterwards decides whether one was lost."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

import asyncpg

from bench.lateness_window import Window
from bench.node import node
from daemon import Context, Every, Job
from daemon.events import Announcer, Event, InstantsSettled

PATIENCE = 60.0
UNFINISHED = """
SELECT count(*) FROM sexton.run
WHERE due_at BETWEEN $1 AND $2 AND state IN ('ready', 'running', 'waiting')"""
DONE = """
SELECT count(DISTINCT (job, due_at)) FROM sexton.run
WHERE due_at BETWEEN $1 AND $2 AND state = 'succeeded' AND count = 1 AND finished_at >= started_at"""


async def main(url: str, postgres: int, jobs: int, period: int, instants: int) -> dict[str, Any]:
    starts: list[tuple[float, datetime]] = []
    settled: list[Event] = []

    async def body(ctx: Context) -> None:
        starts.append((time.time(), ctx.due_at))

    def hear(event: Event) -> None:
        if isinstance(event, InstantsSettled):
            settled.append(event)

    made = [Job(name=f"bench.job_{n:05}", body=body, trigger=Every(period, phase=0)) for n in range(jobs)]
    async with node(url, made, slots=max(20, 4 * jobs), emit=Announcer(hear)):
        window = Window(period, instants, postgres)
        await window.begin()
        await window.pass_by()
        done = await all_done(url, window)
        lateness = [at - due.timestamp() for at, due in starts if window.first <= due.timestamp() <= window.last]
        result = window.result(lateness, jobs * instants - done)
    return {**result, "settled": len(settled), "began": len(lateness)}


async def all_done(url: str, window: Window) -> int:
    """How many instants of the window the ledger has as succeeded, once none of them is on its way."""
    first, last = (datetime.fromtimestamp(at, UTC) for at in (window.first, window.last))
    await asyncio.sleep(window.period * 0.8)  # the ticks of the last instant first
    connection = await asyncpg.connect(url)
    try:
        async with asyncio.timeout(PATIENCE):
            while await connection.fetchval(UNFINISHED, first, last):
                await asyncio.sleep(0.2)
        return int(await connection.fetchval(DONE, first, last))
    finally:
        await connection.close()
