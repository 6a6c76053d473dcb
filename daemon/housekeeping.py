"""Rows leave the ledger when their retention ends, in batches that block nobody. A row never disappears before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from daemon import sql
from daemon.database import Link
from daemon.events import Event, Note
from daemon.job import Job
from daemon.roster import Roster

TRY_ALONE, PURGE_RUNS, FREE_JOBS, PURGE_NODES, PURGE_EVENTS = sql.load(
    __file__, "try_alone", "purge_runs", "free_jobs", "purge_nodes", "purge_events"
)

EVERY = 3600.0
FIRST_AFTER = 60.0
BATCH = 1000
JOBS_AT_ONCE = 500


@dataclass
class Housekeeper:
    """Jobs that no suite of this node declares any more keep their rows: their retention is not known here."""

    link: Link
    roster: Roster
    emit: Callable[[Event], None]
    _begun: bool = False

    async def step(self) -> float:
        """One round over every job. Raises `DatabaseDown`."""
        if not self._begun:
            self._begun = True  # a start has better things to do
            return FIRST_AFTER
        jobs = list(self.roster.jobs.values())
        for start in range(0, len(jobs), JOBS_AT_ONCE):
            purged = BATCH
            while purged == BATCH:
                purged = await self._purge(jobs[start : start + JOBS_AT_ONCE])
        for row in await self.link.fetch(FREE_JOBS):
            self.emit(
                Note("SCHEDULED", f"{row['name']} was held by a run that is over, and is free again", warning=True)
            )
        await self.link.fetch(PURGE_NODES)
        await self.link.fetch(PURGE_EVENTS)
        return EVERY

    async def _purge(self, jobs: Sequence[Job]) -> int:
        """One batch of what these jobs no longer keep; how many rows it was."""
        async with self.link.held() as connection, connection.transaction():
            if not await connection.fetchval(TRY_ALONE.text):
                return 0
            names, retentions = [job.name for job in jobs], [job.retention for job in jobs]
            status = await connection.execute(PURGE_RUNS.text, names, retentions, BATCH)
            return int(status.rpartition(" ")[2])
