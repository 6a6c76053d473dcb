"""Polling loops: one a job and node, woken by its queue's NOTIFY, with its interval of monotonic time as the floor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from daemon.active_run import ActiveRun
from daemon.database import Link
from daemon.executor import Executor
from daemon.job import Job, Poll
from daemon.ledger import Claimed
from daemon.outcome import Ending
from daemon.pulse import Pulse
from daemon.queue import WorkQueue
from daemon.roster import Roster

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UNOPENED = Claimed(
    id=0, job="", due_at=EPOCH, logical_date=EPOCH.date(), token=0,
    started_at=EPOCH, trigger="poll",
)  # fmt: skip


async def next_due(link: Link, queues: Mapping[str, WorkQueue], queue: str) -> float | None:
    """Seconds until the earliest item of a queue may be tried, None when it is empty. Raises `DatabaseDown`."""
    found = queues.get(queue)
    if found is None:
        return None
    seconds: float | None = await link.fetchval(found.statements["next_due"])
    return seconds


@dataclass
class PollLoop:
    """`step` performs the poll once and returns how long until the next look."""

    name: str
    roster: Roster
    executor: Executor
    allowed: Callable[[], bool]
    next_due: Callable[[str], Awaitable[float | None]]
    pulse: Pulse = field(default_factory=Pulse)

    async def step(self) -> float:
        job = self.roster.jobs.get(self.name)
        if job is None or not isinstance(job.trigger, Poll):
            return 60.0
        every = job.trigger.every.total_seconds()
        if not job.enabled or self.name in self.roster.paused or not self.allowed():
            return every
        return await self._perform(job, every)

    async def _perform(self, job: Job, every: float) -> float:
        run = ActiveRun(UNOPENED, job)
        outcome = await self.executor.apart(run)
        if run.claimed.id:
            self.executor.record(run, outcome)
        elif outcome.ending in (Ending.FAILED, Ending.TIMED_OUT):
            await self.executor.make_context(run).open()  # a failure is never idle: it leaves its row
            self.executor.record(run, outcome)
        elif outcome.ending is Ending.DATABASE_LOST:
            return 0.5
        if outcome.ending in (Ending.FAILED, Ending.TIMED_OUT):
            return every  # what is wrong with the poll will be wrong in a moment, too
        upcoming = await self.next_due(job.trigger.wake) if isinstance(job.trigger, Poll) and job.trigger.wake else None
        return every if upcoming is None else min(max(upcoming, 0.05), every)
