"""Customers at the checkout while somebody cleans up, as a process of its own.

How long a checkout waited for locks is told by PostgreSQL itself (log_lock_waits), to the microsecond: a slow disk, a
busy core and the caller's own delays are in how long it took, and not in that.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from bench.measure import Spread
from daemon import sql

EXTEND, ADD = sql.load(__file__, "extend", "add")

CUSTOMERS = 4
PIECES = 10
EVERY_S = 0.02
TELLING = {"log_lock_waits": "on", "deadlock_timeout": "1ms", "client_min_messages": "log"}


ACQUIRED = re.compile(r" acquired \w+ on .* after ([0-9.]+) ms")


@dataclass
class Met:
    """Seconds that checkouts took; milliseconds they waited for a lock, where that was a millisecond or more.

    `blocked`: those that PostgreSQL ended for having waited as long as is allowed.
    """

    took: list[float] = field(default_factory=list)
    waited_ms: list[float] = field(default_factory=list)
    blocked: int = 0

    def hear(self, _: object, message: asyncpg.PostgresLogMessage) -> None:
        if found := ACQUIRED.search(str(message)):
            self.waited_ms.append(float(found[1]))


async def checkouts(url: str, rows: int, limit_ms: int) -> dict[str, Any]:
    """Goes on until somebody says NOTIFY stop."""
    listening = await asyncpg.connect(url)
    stopped = asyncio.Event()
    await listening.add_listener("stop", lambda *_: stopped.set())
    met = Met()
    try:
        async with asyncio.TaskGroup() as group:
            for n in range(CUSTOMERS):
                group.create_task(customer(url, rows, limit_ms, random.Random(n), met, stopped))
            await listening.execute("NOTIFY going")
    finally:
        await listening.close()
    spread = Spread.of(met.took)
    return {
        "checkouts": spread.count, "p50_ms": spread.p50 * 1000, "p99_ms": spread.p99 * 1000,
        "worst_ms": spread.worst * 1000, "blocked": met.blocked, "waits": len(met.waited_ms) + met.blocked,
        "waited_ms": max([*met.waited_ms, *([float(limit_ms)] if met.blocked else []), 0.0]),
    }  # fmt: skip


async def customer(url: str, rows: int, limit_ms: int, draw: random.Random, met: Met, stopped: asyncio.Event) -> None:
    connection = await asyncpg.connect(url, server_settings={**TELLING, "lock_timeout": f"{limit_ms}ms"})
    connection.add_log_listener(met.hear)
    try:
        while not met.took or not stopped.is_set():
            locks = sorted(str(draw.randint(1, rows)) for _ in range(PIECES))
            began = time.perf_counter()
            try:
                async with connection.transaction():
                    await connection.execute(EXTEND.text, locks)
                    await connection.execute(ADD.text, str(draw.randint(1, 1000)))
            except asyncpg.LockNotAvailableError:
                met.blocked += 1
            except asyncpg.DeadlockDetectedError as error:
                raise RuntimeError("a checkout and the clean-up took rows in different orders") from error
            met.took.append(time.perf_counter() - began)
            await asyncio.sleep(EVERY_S)
    finally:
        await connection.close()
