"""Rows leave the ledger when their retention ends, in batches that block nobody. A row never disappears before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from daemon import sql
from daemon.database import Link
from daemon.events import Event, Note
from daemon.job import Job
from daemon.roster import Roster

(
    TRY_ALONE, PURGE_RUNS, FREE_JOBS, PURGE_NODES, PURGE_EVENTS, PURGE_TOKENS, PURGE_APPROVALS, PURGE_REQUEST_KEYS,
) = sql.load(
    __file__, "try_alone", "purge_runs", "free_jobs", "purge_nodes", "purge_events", "purge_tokens", "purge_approvals",
    "purge_request_keys",
)  # fmt: skip
EXPIRE, REMEMBER_KEYS, PURGE_MESSAGES, PURGE_KEYS = sql.load(
    str(Path(__file__).with_name("outbox.py")), "expire", "remember_keys", "purge_messages", "purge_keys"
)

EVERY = 3600.0
FIRST_AFTER = 60.0
BATCH = 1000
JOBS_AT_ONCE = 500
MESSAGES_AT_ONCE = 5000
KEYS_KEPT = timedelta(days=400)


@dataclass
class Housekeeper:
    """Jobs that no suite of this node declares any more keep their rows: their retention is not known here."""

    link: Link
    roster: Roster
    emit: Callable[[Event], None]
    messages_kept: timedelta = timedelta(days=30)
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
        for statement in (PURGE_NODES, PURGE_EVENTS, PURGE_TOKENS, PURGE_APPROVALS, PURGE_REQUEST_KEYS):
            await self.link.fetch(statement)
        await self._tidy_outbox()
        return EVERY

    async def _tidy_outbox(self) -> None:
        """Messages leave an hour after their keys are kept apart, so that none is sent again."""
        kept, known_for = self.messages_kept, timedelta(seconds=EVERY * 0.9)
        for statement, values in (
            (EXPIRE, (MESSAGES_AT_ONCE,)),
            (PURGE_MESSAGES, (kept, MESSAGES_AT_ONCE, known_for)),
            (REMEMBER_KEYS, (kept, MESSAGES_AT_ONCE)),
        ):
            touched = MESSAGES_AT_ONCE
            while touched == MESSAGES_AT_ONCE:
                touched = await self._touched(statement, *values)
        await self.link.fetch(PURGE_KEYS, KEYS_KEPT)

    async def _touched(self, statement: sql.Statement, *values: object) -> int:
        """One batch, by one node at a time; how many rows it was."""
        async with self.link.held() as connection, connection.transaction():
            if not await connection.fetchval(TRY_ALONE.text):
                return 0
            return int((await connection.execute(statement.text, *values)).rpartition(" ")[2])

    async def _purge(self, jobs: Sequence[Job]) -> int:
        """One batch of what these jobs no longer keep; how many rows it was."""
        return await self._touched(PURGE_RUNS, [job.name for job in jobs], [job.retention for job in jobs], BATCH)
