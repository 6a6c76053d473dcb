"""Jobs of the engine with no-op bodies. What the ledger says afterwards decides whether one was lost."""

from __future__ import annotations

import asyncio
import time
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
DUE = "SELECT id, extract(epoch FROM due_at)::float8 AS due FROM sexton.run WHERE due_at BETWEEN $1 AND $2"
DONE = """
SELECT count(DISTINCT (job, due_at)) FROM sexton.run
WHERE due_at BETWEEN $1 AND $2 AND state = 'succeeded' AND count = 1 AND finished_at >= started_at"""


async def main(url: str, postgres: int, jobs: int, period: int, instants: int) -> dict[str, Any]:
    starts: list[tuple[float, int]] = []
    settled: list[Event] = []

    async def body(ctx: Context) -> None:
        starts.append((time.time(), ctx.run_id))

    def hear(event: Event) -> None:
        if isinstance(event, InstantsSettled):
            settled.append(event)

    made = [Job(name=f"bench.job_{n:05}", body=body, trigger=Every(period, phase=0)) for n in range(jobs)]
    async with node(url, made, slots=max(20, 4 * jobs), emit=Announcer(hear)):
        window = Window(period, instants, postgres)
        await window.begin()
        await window.pass_by()
        done = await all_done(url, window)
        due = await due_times(url, window)
        lateness = [at - due[run] for at, run in starts if run in due]
        result = window.result(lateness, jobs * instants - done)
    return {**result, "settled": len(settled), "began": len(lateness)}


async def due_times(url: str, window: Window) -> dict[int, float]:
    """When the runs of the window were due, by run."""
    connection = await asyncpg.connect(url)
    try:
        return {row["id"]: row["due"] for row in await connection.fetch(DUE, *window.bounds)}
    finally:
        await connection.close()


async def all_done(url: str, window: Window) -> int:
    """How many instants of the window the ledger has as succeeded, once none of them is on its way."""
    first, last = window.bounds
    await asyncio.sleep(window.period * 0.8)  # the ticks of the last instant first
    connection = await asyncpg.connect(url)
    try:
        async with asyncio.timeout(PATIENCE):
            while await connection.fetchval(UNFINISHED, first, last):
                await asyncio.sleep(0.2)
        return int(await connection.fetchval(DONE, first, last))
    finally:
        await connection.close()
