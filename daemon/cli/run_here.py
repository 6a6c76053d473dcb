"""One run in this process, as a daemon would perform it: leased, fenced, retried, recorded. Nothing else is ticked.

Our node is not a daemon: `home` ends in /command-PID, so that nobody counts on it to take other runs, and two
commands side by side do not take each other for a crashed earlier life.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace

import anyio
import asyncpg

from daemon import ledger, sql
from daemon.app import WORKER_URL
from daemon.catalogue import Catalogue
from daemon.cli.database import Opened
from daemon.cli.waiting import Ended, stoppable, wait_for
from daemon.engine import Engine
from daemon.events import Announcer
from daemon.job import Job, Overlap
from daemon.lease import PREDECESSORS
from daemon.log import LogSubscriber, configure
from daemon.outcome import Ending, Outcome
from daemon.pool import Pool
from daemon.settings import Settings
from daemon.supervisor import Service, run_for_ever

(CLAIM_RUN,) = sql.load(__file__, "claim_run")

LOOK_AGAIN = 0.5
LAST_WORDS = 5.0
LEVEL = "warning"
"""What a person wants to read while one run is performed: what goes wrong, not that it started."""


async def run_here(
    settings: Settings, catalogue: Catalogue, place: Opened, connection: asyncpg.Connection, run: int, job: Job
) -> Ended:
    """Perform the run until it has ended; Ctrl-C gives it back at no cost. Raises `DatabaseDown`."""
    level = LEVEL if settings.log.level == "info" else settings.log.level
    emit = Announcer(LogSubscriber(configure(level, settings.log.format), level))
    os.environ[WORKER_URL] = place.urls.url
    pool = Pool(settings.pool.size, max_tasks=settings.pool.max_tasks, max_rss_bytes=settings.pool.max_rss_mb << 20)
    await pool.start()
    engine = Engine(settings, catalogue, place.urls, pool, emit, str(settings.state_dir))
    house = engine.lease.home
    engine.lease.home = f"{house}/command-{os.getpid()}"
    try:
        await engine.start()
        if place.ours:
            await _bury_the_dead(engine, house)
        return await _perform(engine, connection, run, job)
    finally:
        await engine.close()
        await pool.stop(0.0)


async def _bury_the_dead(engine: Engine, house: str) -> None:
    """We hold the state directory, so every daemon of this house is gone, however fresh its lease looks."""
    for row in await engine.link.fetch(PREDECESSORS, house, engine.lease.incarnation):
        await engine.lease.rescue(row["incarnation"], row["name"], "gone", even_if_alive=True)


async def _perform(engine: Engine, connection: asyncpg.Connection, run: int, job: Job) -> Ended:
    known = await ledger.known_jobs(engine.link, [job.name])
    job = engine.roster.learn(known[job.name])
    async with stoppable() as stop, anyio.create_task_group() as services:
        async with anyio.create_task_group() as runs:
            engine.executor.tasks = runs
            for name, step in _steps(engine, run, job).items():
                engine.services[name] = service = Service(name, step)
                services.start_soon(run_for_ever, service, engine.outage, engine.emit, name=name)
            services.start_soon(engine.lease.fence_when_due, name="fence")
            ended = await wait_for(connection, run, _always, stop, alone=True)
            if ended.left is not None:
                await engine.interrupt("stopped by the person who asked for it")
                ended = await wait_for(connection, run, _always, asyncio.Event(), patience=0)
                if ended.row["state"] != "held":
                    ended = replace(ended, left=ended.left and f"the next daemon takes it, or: sexton cancel {run}")
            await engine.drain(LAST_WORDS, anyio.Event())  # it ended for the ledger; let our side hear so too
            runs.cancel_scope.cancel()
        services.cancel_scope.cancel()
    return ended


def _steps(engine: Engine, run: int, job: Job) -> dict[str, Callable[[], Awaitable[float]]]:
    """The services a single run needs, by the names that `Engine.wake` knows."""

    async def claim() -> float:
        if engine.claiming:
            async with engine.link.held() as connection:
                allow = job.overlap is Overlap.ALLOW
                row = await connection.fetchrow(CLAIM_RUN.text, run, engine.lease.incarnation, allow)
                if row is not None:
                    engine.executor.start([ledger.claimed(row)])
        return LOOK_AGAIN

    async def cancel() -> float:
        for row in await engine.link.fetch(ledger.CANCEL_REQUESTS, engine.lease.incarnation):
            if active := engine.executor.active.get(row["run"]):
                active.interrupt(Outcome(Ending.CANCELLED, reason=f"cancelled by {row['requested_by']}"))
        return LOOK_AGAIN

    return {
        "dispatcher": claim,
        "cancellations": cancel,
        "recorder": engine.recorder.serve,
        "lease": engine.lease.step,
        "listener": engine.listener.step,
    }


async def _always() -> bool:
    return True
