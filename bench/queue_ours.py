"""The same items through daemon.queue and daemon.drain, on a whole node."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import asyncpg

from bench.measure import Spread
from bench.node import node
from bench.queue_bare import ENQUEUE, LEFT
from daemon import Context, Job, QueueItem, WorkQueue, seconds
from daemon.events import Announcer, Event, RunEnded
from daemon.job import Overlap, Poll

QUEUE = WorkQueue("bench.queue", key="item_id")


async def save(_tx: Any, _pairs: Sequence[tuple[QueueItem, int]]) -> None:
    """Nothing to save: the queue itself is measured."""


def drainer(perform: Any) -> Job:
    async def body(ctx: Context) -> int:
        done = 0
        async for drained in ctx.drain(QUEUE, perform, save):
            done += drained.done
        return done

    return Job(name="bench.drainer", body=body, trigger=Poll(seconds(30), QUEUE.name), overlap=Overlap.ALLOW)


class Ends:
    """Hears how poll runs ended."""

    def __init__(self) -> None:
        self.seen = 0
        self._news = asyncio.Event()

    def __call__(self, event: Event) -> None:
        if isinstance(event, RunEnded):
            assert event.outcome == "succeeded", event
            self.seen += 1
            self._news.set()

    async def after(self, seen: int) -> None:
        while self.seen <= seen:
            self._news.clear()
            await self._news.wait()


async def throughput(url: str, items: int) -> dict[str, Any]:
    """From just before the node is told until the last commit: the poll is woken by hand, the queue is full."""
    done = 0
    finished = 0.0

    async def perform(_: QueueItem) -> int:
        return 1

    async def body(ctx: Context) -> int:
        nonlocal done, finished
        async for drained in ctx.drain(QUEUE, perform, save):
            done += drained.done
            finished = time.perf_counter()
        return done

    job = Job(name="bench.drainer", body=body, trigger=Poll(seconds(30), QUEUE.name), overlap=Overlap.ALLOW)
    ends = Ends()
    connection = await asyncpg.connect(url)
    async with node(url, [job], queues=(QUEUE,), emit=Announcer(ends)):
        await connection.execute("ALTER TABLE bench.queue DISABLE TRIGGER wake")
        await connection.execute(ENQUEUE, items)
        began = time.perf_counter()
        await connection.execute("SELECT pg_notify('sexton', 'queue:bench.queue')")
        while done < items:
            await ends.after(ends.seen)
        left = await connection.fetchval(LEFT)
    await connection.close()
    return {"seconds": finished - began, "left": left}


async def latency(url: str, picks: int) -> dict[str, Any]:
    """One item at a time, the node idle before each."""
    begun: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    async def perform(_: QueueItem) -> int:
        begun.set_result(time.perf_counter())
        return 1

    ends, samples = Ends(), []
    producer = await asyncpg.connect(url)
    async with node(url, [drainer(perform)], queues=(QUEUE,), emit=Announcer(ends)):
        for key in range(picks + 10):
            begun = asyncio.get_running_loop().create_future()
            seen, began = ends.seen, time.perf_counter()
            inserting = asyncio.create_task(producer.execute("INSERT INTO bench.queue (item_id) VALUES ($1)", key))
            samples.append((await begun - began) * 1000)
            await inserting
            await ends.after(seen)
            await asyncio.sleep(0.02)
    await producer.close()
    return asdict(Spread.of(samples[10:]))
