"""A node that says once in a while what it does, as the daemon's own does, with its admin."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from daemon import node_status
from daemon.engine import Engine
from daemon.job import Job
from daemon.jsonable import to_json
from daemon.loop_lag import LoopMonitor
from tests.daemon.admin.house import House, house

SPEAKS_EVERY = 0.2


@asynccontextmanager
async def live_house(url: str, *jobs: Job, **parts: Any) -> AsyncIterator[House]:
    async with house(url, *jobs, **parts) as opened:
        speaking = asyncio.create_task(_speak(opened.node.engine))
        try:
            yield opened
        finally:
            speaking.cancel()
            await asyncio.wait({speaking})


async def _speak(engine: Engine) -> None:
    monitor = LoopMonitor(lambda _: None, lambda: None)
    began = time.monotonic()
    while True:
        await engine.lease.publish(to_json(node_status.snapshot(engine, monitor, began)))
        await asyncio.sleep(SPEAKS_EVERY)
