"""Rows that say they are this node's and are not: a claim whose answer got lost left them, and nobody works on them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from daemon import ledger
from daemon.database import Link
from daemon.queue import WorkQueue

IDLE = 3600.0


@dataclass
class Strays:
    """`runs` and `holdings` (by queue) are what this node really works on."""

    link: Link
    node: Callable[[], UUID]
    runs: Callable[[], Iterable[int]]
    queues: Mapping[str, WorkQueue]
    holdings: Mapping[str, set[int]]
    found: Callable[[], None]
    suspected: bool = False

    async def step(self) -> float:
        """After an outage, give them back. Raises `DatabaseDown`."""
        if self.suspected:
            await self.give_back()
            self.suspected = False
            self.found()
        return IDLE

    async def give_back(self, *, everything: bool = False) -> None:
        """What the tables say we work on and we do not: ready again, at no cost."""
        async with self.link.held() as connection:
            node = self.node()
            runs = [] if everything else list(self.runs())
            await connection.execute(ledger.RELEASE_STRAYS.text, node, runs)
            for queue in self.queues.values():
                held = [] if everything else list(self.holdings.get(queue.name, ()))
                await connection.execute(queue.statements["release_strays"].text, node, held)
