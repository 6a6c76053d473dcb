"""A run's own row: opened, fenced, completed, and read again when the answer to a COMMIT got lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import anyio

from daemon import ledger
from daemon.connections import Connection, Session
from daemon.database import DatabaseDown, means_lost
from daemon.fence import Fenced
from daemon.ledger import Claimed
from daemon.schedule import Cron, timezone_of

if TYPE_CHECKING:
    from daemon.active_run import ActiveRun
    from daemon.facilities import Facilities
    from daemon.job import Job

READ_BACK_PATIENCE = 30.0


class RunLedger:
    """Between a context and `sexton.run`: every statement that decides whether a transaction may stand."""

    def __init__(self, run: ActiveRun, lent: Facilities) -> None:
        self._run = run
        self._lent = lent

    async def ensure_open(self) -> None:
        """A poll gets its ledger row when it first has something to write: idle polls leave no trace."""
        if self._run.claimed.id:
            return
        job = self._run.job
        row = None
        while row is None:  # two polls in the same microsecond: the next has another
            async with self._lent.link.held() as connection:
                row = await connection.fetchrow(
                    ledger.OPEN_RUN.text, job.name, timezone_name(job), int(job.priority), self._lent.node()
                )
                if row is not None:
                    self._run.claimed = Claimed(
                        id=row["id"], job=job.name, due_at=row["due_at"], logical_date=row["logical_date"],
                        token=row["token"], started_at=row["started_at"], trigger="poll",
                    )  # fmt: skip
                    self._lent.opened(self._run)

    async def fence(self, tx: Session, cursor: str | None) -> None:
        """The last statement before COMMIT; moves the cursor if there is one. Raises `Fenced`."""
        claimed = self._run.claimed
        if cursor is None:
            ours = await tx.fetchval(ledger.FENCE_ONLY, claimed.id, claimed.token)
        else:
            ours = await tx.fetchval(ledger.FENCE, claimed.id, claimed.token, cursor)
        self._must_be(ours)

    async def complete(self, tx: Session, result: str | None) -> None:
        """The last statement of the last transaction: success. Raises `Fenced`."""
        claimed = self._run.claimed
        self._must_be(await tx.fetchval(ledger.COMPLETE, claimed.id, claimed.token, result))

    def _must_be(self, ours: object) -> None:
        if ours is None:
            raise Fenced(f"run {self._run.claimed.id} was taken over")

    async def commit(self, connection: Connection, *, cursor: str | None = None, completes: bool = False) -> None:
        """COMMIT; if its answer gets lost, ask the ledger what is true before saying anything."""
        try:
            await connection.execute("COMMIT")
        except Exception as error:
            if not means_lost(error):
                raise
            self._lent.outage.began(error)
            if not await self._was_committed(cursor, completes):
                raise DatabaseDown(f"the connection was lost during COMMIT: {error}") from error

    async def _was_committed(self, cursor: str | None, completes: bool) -> bool:
        claimed = self._run.claimed
        with anyio.move_on_after(READ_BACK_PATIENCE):
            while True:
                await self._lent.outage.over()
                try:
                    row = await self._lent.link.fetchrow(ledger.READ_BACK, claimed.id)
                except DatabaseDown:
                    continue
                if row is None or row["token"] != claimed.token:
                    return False
                if completes:
                    return bool(row["state"] == "succeeded")
                kept = row["cursor"]
                return cursor is not None and kept is not None and json.loads(kept) == json.loads(cursor)
        return False


def timezone_name(job: Job) -> str:
    return timezone_of(job.trigger).key if isinstance(job.trigger, Cron) else "UTC"
