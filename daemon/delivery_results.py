"""What became of messages, written in batches: what was sent and not yet written is what a crash sends again."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from daemon.delivery_rules import Settlement
from daemon.delivery_store import DeliveryStore
from daemon.events import Event, MessageGivenUp, MessagesSettled
from daemon.pulse import Pulse

ENOUGH = 100
GATHER = 0.2
MOST_AT_ONCE = 500
IDLE = 3600.0


@dataclass
class Results:
    """Kept until the database has them, however long it is away. `hurry`: write at once, we are leaving.

    `returned(channel)` is called when messages have gone back, so that somebody looks when they are due.
    """

    store: DeliveryStore
    emit: Callable[[Event], None]
    beat: Callable[[], None]
    returned: Callable[[str], None]
    hurry: bool = False
    _unwritten: list[Settlement] = field(default_factory=list)
    _enough: asyncio.Event = field(default_factory=asyncio.Event)
    _written: Pulse = field(default_factory=Pulse)

    def add(self, *settlements: Settlement) -> None:
        if not settlements:
            return
        if not self._unwritten:
            self.beat()
        self._unwritten += settlements
        if len(self._unwritten) >= ENOUGH or self.hurry:
            self._enough.set()

    @property
    def unwritten(self) -> list[int]:
        """The tokens of what the database has not heard of."""
        return [s.row.token for s in self._unwritten]

    @property
    def full(self) -> bool:
        """More is sent than is written: whoever sends should wait."""
        return len(self._unwritten) >= MOST_AT_ONCE

    async def step(self) -> float:
        """Write one batch: a hundred, or what there is after 0.2 s. Raises `DatabaseDown`; nothing is lost by it."""
        if not self._unwritten:
            return IDLE
        with suppress(TimeoutError):
            async with asyncio.timeout(0 if self.hurry else GATHER):
                await self._enough.wait()
        await self.write()
        return 0.0 if self._unwritten else IDLE

    async def write(self) -> None:
        self._enough.clear()
        batch = self._unwritten[:MOST_AT_ONCE]
        ours = await self.store.settle(batch)
        del self._unwritten[: len(batch)]
        if len(self._unwritten) >= ENOUGH:
            self._enough.set()
        self._written.beat()
        self._announce([s for s in batch if s.row.id in ours])

    async def written(self, seconds: float) -> None:
        """Return when a batch was written, or after so long."""
        await self._written.wait(seconds)

    def _announce(self, batch: Sequence[Settlement]) -> None:
        """What was somebody else's by then is theirs to tell."""
        for (channel, state), count in Counter((s.row.channel, s.state) for s in batch).items():
            self.emit(MessagesSettled(channel, state, count))
            if state == "pending":
                self.returned(channel)
        for s in batch:
            if s.given_up:
                self.emit(MessageGivenUp(s.row.id, s.row.channel, s.row.suite, s.row.template, s.state, s.detail))
