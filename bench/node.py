"""A whole node in a child process: the engine, log and metrics as the daemon has them, without HTTP and systemd."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from daemon import catalogue
from daemon.engine import Engine, Urls
from daemon.events import Announcer
from daemon.job import Job
from daemon.log import LogSubscriber, configure
from daemon.loop_lag import LoopMonitor
from daemon.metrics import Metrics
from daemon.pool import Pool
from daemon.queue import WorkQueue
from daemon.settings import DatabaseSettings, LogSettings, NodeSettings, Settings


@asynccontextmanager
async def node(
    url: str, jobs: list[Job], *, slots: int = 20, queues: tuple[WorkQueue, ...] = (), emit: Announcer | None = None
) -> AsyncIterator[Engine]:
    """Running for the block; a body that still runs at its end is interrupted."""
    settings = Settings(
        suites=(), database=DatabaseSettings(url=url), node=NodeSettings(slots=slots), log=LogSettings(level="warning")
    )
    found = catalogue.of(jobs, queues={q.name: q for q in queues})
    metrics = Metrics("bench")
    emit = emit or Announcer()
    emit.subscribe(LogSubscriber(configure("warning", "json"), "warning"))
    emit.subscribe(metrics)
    metrics.introduce(found.jobs, found.queues)
    pool = Pool(5)
    await pool.start()
    engine = Engine(settings, found, Urls(url, url), pool, emit, "/bench")
    monitor = LoopMonitor(emit, engine.current_run)
    try:
        await engine.start()
        monitor.start()
        async with anyio.create_task_group() as services:
            async with anyio.create_task_group() as runs:
                engine.serve(services, runs)
                while not (engine.services["ticker"].steps and engine.listener.healthy):
                    await asyncio.sleep(0.005)
                gc.collect()
                gc.freeze()  # what lives as long as the process is not looked through again and again
                yield engine
                await engine.interrupt("the bench is over")
                runs.cancel_scope.cancel()
            services.cancel_scope.cancel()
    finally:
        monitor.stop()
        await engine.close()
        await pool.stop(0)
