"""APScheduler 3.11 with its jobs in memory: nothing is written, so nothing would survive."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime
from typing import Any

from apscheduler.executors.asyncio import AsyncIOExecutor
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bench.lateness_window import Window


async def main(url: str, postgres: int, jobs: int, period: int, instants: int) -> dict[str, Any]:
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    del url
    starts: list[tuple[float, int]] = []
    begun = [0] * jobs

    async def body(number: int) -> None:
        starts.append((time.time(), begun[number]))
        begun[number] += 1

    window = Window(period, instants, postgres)
    scheduler = AsyncIOScheduler(executors={"default": AsyncIOExecutor()}, timezone=UTC)
    for number in range(jobs):
        scheduler.add_job(
            body, "interval", seconds=period, args=(number,), misfire_grace_time=None, coalesce=False,
            max_instances=1000, start_date=datetime.fromtimestamp(window.first, UTC),
            end_date=datetime.fromtimestamp(window.last + 0.5, UTC),
        )  # fmt: skip
    scheduler.start()
    await window.begin()
    await window.pass_by()
    until = time.monotonic() + 60
    while len(starts) < jobs * instants and time.monotonic() < until:
        await asyncio.sleep(0.2)
    await asyncio.sleep(max(window.last + period * 0.8 - time.time(), 0))
    lateness = [at - (window.first + nth * period) for at, nth in starts]
    result = window.result(lateness, jobs * instants - len(starts))
    scheduler.shutdown()
    return result
