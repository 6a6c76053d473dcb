"""Customers at the checkout while somebody cleans up, as a process of its own."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

import asyncpg

from bench.measure import Spread
from daemon import sql

EXTEND, ADD = sql.load(__file__, "extend", "add")

CUSTOMERS = 4
PIECES = 10
EVERY_S = 0.02


async def checkouts(url: str, rows: int, limit_ms: int) -> dict[str, Any]:
    """Goes on until somebody says NOTIFY stop. `blocked`: those that PostgreSQL ended for waiting `limit_ms`."""
    listening = await asyncpg.connect(url)
    stopped = asyncio.Event()
    await listening.add_listener("stop", lambda *_: stopped.set())
    took: list[float] = []
    blocked = [0]
    try:
        async with asyncio.TaskGroup() as group:
            for n in range(CUSTOMERS):
                group.create_task(customer(url, rows, limit_ms, random.Random(n), took, blocked, stopped))
            await listening.execute("NOTIFY going")
    finally:
        await listening.close()
    spread = Spread.of(took)
    return {
        "checkouts": spread.count, "blocked": blocked[0], "p50_ms": spread.p50 * 1000, "p99_ms": spread.p99 * 1000,
        "worst_ms": spread.worst * 1000,
    }  # fmt: skip


async def customer(
    url: str, rows: int, limit_ms: int, draw: random.Random, took: list[float], blocked: list[int],
    stopped: asyncio.Event,
) -> None:  # fmt: skip
    connection = await asyncpg.connect(url, server_settings={"lock_timeout": f"{limit_ms}ms"})
    try:
        while not took or not stopped.is_set():
            locks = sorted(str(draw.randint(1, rows)) for _ in range(PIECES))
            began = time.perf_counter()
            try:
                async with connection.transaction():
                    await connection.execute(EXTEND.text, locks)
                    await connection.execute(ADD.text, str(draw.randint(1, 1000)))
            except asyncpg.LockNotAvailableError:
                blocked[0] += 1
            except asyncpg.DeadlockDetectedError as error:
                raise RuntimeError("a checkout and the clean-up took rows in different orders") from error
            took.append(time.perf_counter() - began)
            await asyncio.sleep(EVERY_S)
    finally:
        await connection.close()
