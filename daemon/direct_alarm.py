"""What cannot travel through the outbox, because database or daemon are the trouble: one message straight out.

A file in the state directory says that somebody was told, so that a daemon that is restarted again and again tells
once, and the next one that is well tells that it is over.
"""

from __future__ import annotations

import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import anyio

from daemon.channels import configured
from daemon.channels.channel import Channel, Message, Verdict
from daemon.database import Outage
from daemon.events import DatabaseBack, DatabaseLost, Event, Note
from daemon.pulse import Pulse
from daemon.settings import Settings

MARKER = "direct-alarm"
AGAIN_AFTER = 30.0
LOOK_EVERY = 3600.0
LAST_WORDS = 15.0


@dataclass
class DirectAlarm:
    """`addresses` are those of the administrators for e-mail, an empty one for chat. `lease` in seconds."""

    channel: Channel
    addresses: Sequence[str]
    node: str
    lease: float
    marker: Path
    emit: Callable[[Event], None]
    outage: Outage | None = None
    pulse: Pulse = field(default_factory=Pulse)
    _told: bool = False

    def __post_init__(self) -> None:
        self._told = self.marker.exists()

    def hear(self, event: Event) -> None:
        if isinstance(event, DatabaseLost | DatabaseBack):
            self.pulse.beat()

    async def step(self) -> float:
        """Tell of an outage once it is longer than a lease, and of its end; seconds until there may be more to do."""
        outage = self.outage
        if outage is not None and outage.since is not None:
            left = outage.since + self.lease - time.monotonic()
            if left > 0 or self._told:
                return left if left > 0 else LOOK_EVERY
            away = f"The database has been away for more than {self.lease:g} s: {outage.error}\n\nNo job runs here."
            return LOOK_EVERY if await self.tell("the database is away", away) else AGAIN_AFTER
        if self._told and not await self._tell_the_end():
            return AGAIN_AFTER
        return LOOK_EVERY

    async def tell(self, what: str, text: str) -> bool:
        """Whether it is known outside: told now, or before."""
        if not self._told and await self._send(f"Sexton on {self.node}: {what}", text):
            self._told = True
            self._mark()
        return self._told

    async def _tell_the_end(self) -> bool:
        if not await self._send(f"Sexton on {self.node}: back", "The daemon runs, and the database answers."):
            return False
        self._told = False
        self._mark()
        return True

    async def _send(self, subject: str, text: str) -> bool:
        """True when at least one was told. What failed is announced."""
        at = datetime.now(UTC)
        text = f"{text}\n\n{at:%Y-%m-%d %H:%M:%S} UTC, {self.node}. Sent directly, not through the outbox."
        reached = False
        for number, address in enumerate(self.addresses):
            key = f"direct/{self.node}/{at.isoformat()}/{number}"
            delivery = await self.channel.send(Message(0, key, "alert", address, subject, text))
            reached |= delivery.verdict is Verdict.SENT
            if delivery.verdict is not Verdict.SENT:
                words = f"{self.channel.name} did not take the direct message: {delivery.detail}"
                self.emit(Note("ALERTS", words, warning=True))
        return reached

    def _mark(self) -> None:
        try:
            if self._told:
                self.marker.parent.mkdir(parents=True, exist_ok=True)
                self.marker.touch()
            else:
                self.marker.unlink(missing_ok=True)
        except OSError as error:
            self.emit(Note("ALERTS", f"{self.marker}: {error.strerror}; a restart may tell again", warning=True))


@asynccontextmanager
async def direct_alarm(
    settings: Settings, emit: Callable[[Event], None], left: Callable[[], str | None]
) -> AsyncIterator[DirectAlarm | None]:
    """The alarm for as long as the daemon lives, None when `alerts.direct` is off. `left`: a fault it leaves for.

    An exception that passes here is such a fault: it is told, within fifteen seconds, and goes on.
    """
    name = settings.alerts.direct
    if not name:
        yield None
        return
    alarm = DirectAlarm(
        configured(settings)[name], settings.outbox.administrators if name == "email" else ("",),
        settings.node.name or socket.gethostname(), settings.node.lease.total_seconds(),
        settings.state_dir / MARKER, emit,
    )  # fmt: skip
    try:
        yield alarm
        fault = left()
        if fault is not None:
            await _last_words(alarm, fault)
    except Exception as error:
        await _last_words(alarm, f"{type(error).__name__}: {error}")
        raise
    finally:
        with anyio.move_on_after(1, shield=True):
            await alarm.channel.aclose()


async def _last_words(alarm: DirectAlarm, fault: str) -> None:
    with anyio.move_on_after(LAST_WORDS, shield=True):
        await alarm.tell("the daemon has left", f"It ends because of a fault: {fault}\n\nNo job runs here.")
