"""Writes how tries ended, many in one statement, and does not lose one while the database is away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from daemon import ledger
from daemon.database import Link
from daemon.ledger import Finish

Done = Callable[[str | None, str | None], None]
MOST_AT_ONCE = 1000


@dataclass
class Recorder:
    """`put` queues; `step` flushes what is queued, no more at once than the loop can take in without a halt.

    `done(state, refused)` is called for each once it is written. `state` is the run's by its own doing, None when it is
    somebody else's now; `refused` says why it became a failure.
    """

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
        batch = self._pending[:MOST_AT_ONCE]
        if not batch:
            return
        try:
            ends = [finish for finish, _ in batch]
            ours = await self._written(ends)
            states = await self._true_states([finish for finish in ends if finish.id not in ours])
        except BaseException:
            self._wake.set()
            raise
        del self._pending[: len(batch)]
        if self._pending:
            self._wake.set()
        for finish, done in batch:
            why = ours.get(finish.id)
            state = "failed" if why is not None else finish.state
            done(state if finish.id in ours else states.get(finish.id), why)

    async def _true_states(self, ends: Sequence[Finish]) -> dict[int, str]:
        """Of runs that could not be ended but still have our token: a COMMIT nobody heard the answer of has done it."""
        if not ends:
            return {}
        rows = await self.link.fetch(ledger.ENDED_BY, [end.id for end in ends], [end.token for end in ends])
        return {row["id"]: row["state"] for row in rows}

    async def _written(self, ends: Sequence[Finish]) -> dict[int, str | None]:
        """The ids that were still ours. An end that the database refuses costs its own run, and no other's."""
        try:
            return dict.fromkeys(await ledger.finish(self.link, ends))
        except Exception as error:
            if not _is_its_contents_doing(error):
                raise
            why = f"its end could not be recorded: {type(error).__name__}: {error}"
        if len(ends) == 1:
            one = ends[0]
            failure = Finish(one.id, one.token, "failed", one.failures, error=why, outcome="failed")
            return dict.fromkeys(await ledger.finish(self.link, [failure]), why)
        half = len(ends) // 2
        return await self._written(ends[:half]) | await self._written(ends[half:])


def _is_its_contents_doing(error: Exception) -> bool:
    """Refused for what it says (SQLSTATE 22, 54, or before it was sent), not for the state of the database."""
    return isinstance(error, ValueError) or str(getattr(error, "sqlstate", None) or "").startswith(("22", "54"))
