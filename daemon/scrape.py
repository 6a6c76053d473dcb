"""Gauges are brought up to date when somebody scrapes, not before: an idle daemon asks nobody anything."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import TimeoutError as FutureTimeout

from daemon.database import DatabaseDown
from daemon.engine import Engine
from daemon.loop_lag import LoopMonitor
from daemon.metrics import Metrics
from daemon.schedule import Cron, Every, upcoming

FRESH_FOR = 1.0
PATIENCE = 2.0


class Refresher:
    """Called from the probes' thread before each scrape; at most once a second, and never for long."""

    def __init__(self, engine: Engine, metrics: Metrics, monitor: LoopMonitor, loop: asyncio.AbstractEventLoop) -> None:
        self._engine, self._metrics, self._monitor, self._loop = engine, metrics, monitor, loop
        self._refreshed = 0.0

    def __call__(self) -> None:
        self._metrics.lag.set(max(self._monitor.lag, self._monitor.standing_still()))
        if time.monotonic() - self._refreshed < FRESH_FOR:
            return
        self._refreshed = time.monotonic()
        stats = self._engine.pool.stats()
        for state in ("busy", "idle", "starting"):
            self._metrics.pool.labels(state).set(getattr(stats, state))
        self._metrics.listen_up.set(self._engine.listener.healthy)
        self._metrics.renewals_are(self._engine.lease.renewals)
        self._expectations()
        asked = asyncio.run_coroutine_threadsafe(self._queues(), self._loop)
        try:
            asked.result(PATIENCE)
        except (FutureTimeout, DatabaseDown):
            asked.cancel()  # what was known a moment ago is served; sexton_database_up tells the rest

    def _expectations(self) -> None:
        """A weekday job must not alarm on Sunday: what counts is its own next instant."""
        for job in list(self._engine.roster.jobs.values()):
            if not job.enabled or not isinstance(job.trigger, Cron | Every):
                continue
            coming = upcoming(job.trigger, self._metrics.expecting_since(job.name), 1)
            if coming:
                due = coming[0].at.timestamp() + job.timeout.total_seconds()
                self._metrics.expected_by.labels(job.suite, job.name).set(due)

    async def _queues(self) -> None:
        if self._engine.outage.known:
            return
        for queue in self._engine.catalogue.queues.values():
            row = await self._engine.link.fetchrow(queue.statements["depth"])
            if row is not None:
                for state in ("ready", "running", "dead"):
                    self._metrics.depth.labels(queue.name, state).set(row[state])
                self._metrics.oldest.labels(queue.name).set(row["oldest_age_s"])
        counts = await self._engine.post.counts()
        self._metrics.messages_are((r["channel"], r["state"], r["messages"], r["oldest_s"]) for r in counts)
