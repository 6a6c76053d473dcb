"""Writes how tries ended, many in one statement, and does not lose one while the database is away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from daemon import ledger
from daemon.database import Link
from daemon.ledger import Finish

Done = Callable[[bool], None]


@dataclass
class Recorder:
    """`put` queues; `step` flushes all that is queued. `done(still_ours)` is called for each once it is written."""

    link: Link
    _pending: list[tuple[Finish, Done]] = field(default_factory=list)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, finish: Finish, done: Done) -> None:
        self._pending.append((finish, done))
        self._wake.set()

    @property
    def pending(self) -> int:
        return len(self._pending)

    async def serve(self) -> float:
        """Wait until something is queued, then flush."""
        await self._wake.wait()
        await self.step()
        return 0.0

    async def step(self) -> None:
        """Flush. Raises `DatabaseDown`; what was queued stays queued."""
        self._wake.clear()
        batch = list(self._pending)
        if not batch:
            return
        try:
            ours = await ledger.finish(self.link, [finish for finish, _ in batch])
        except BaseException:
            self._wake.set()
            raise
        del self._pending[: len(batch)]
        for finish, done in batch:
            done(finish.id in ours)
