"""Troubles on their way to people: collected for some seconds, kept in `sexton.alert`, told through the outbox.

Whether a trouble is over is read from the ledger and the outbox, so that it does not matter which node ended it, nor
whether this one was there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import asyncpg

from daemon import events as e
from daemon import sql
from daemon.alerts import BACKUP, OF_JOBS, Notice, Receiver, Trouble, key_of, notices, reaches, together, trouble_of
from daemon.channel_settings import ChannelsSettings
from daemon.database import Link
from daemon.jsonable import storable, to_json
from daemon.outbox import CHAT
from daemon.pulse import Pulse
from daemon.queue import WorkQueue

OPEN, RECORD, DUE, TOLD, CLOSE, LEAVE = sql.load(__file__, "open", "record", "due", "told", "close", "leave")

COLLECT = 5.0
LOOK_EVERY = 60.0
TELL_EVERY = timedelta(hours=1)
NEWS_FOR = timedelta(days=1)
AT_ONCE = 500


def receivers_of(settings: ChannelsSettings) -> tuple[Receiver, ...]:
    """The administrators by e-mail, and the chat channels that are configured."""
    mails = [Receiver("email", address) for address in settings.outbox.administrators]
    return (*mails, *(Receiver(name) for name in settings.configured_channels if name in CHAT))


@dataclass
class Alerting:
    """A subscriber (`hear`) and a service (`step`). What is not written yet is one entry for each kind and subject."""

    link: Link
    receivers: Sequence[Receiver]
    queues: Mapping[str, WorkQueue]
    node: str
    now: Callable[[], datetime]
    pulse: Pulse = field(default_factory=Pulse)
    collect: float = COLLECT
    _troubles: dict[str, Trouble] = field(default_factory=dict)
    _back: set[str] = field(default_factory=set)
    _open: dict[str, tuple[str, str]] = field(default_factory=dict)
    _awaited: bool = False

    def hear(self, event: e.Event) -> None:
        match event:
            case e.RunEnded(job=job, outcome="succeeded"):
                if any(key_of(kind, job) in self._open for kind in OF_JOBS):
                    self._soon()
            case e.ChannelBack(channel=channel):
                self._back.add(key_of("away", channel))
                self._soon()
            case e.BackupMade():
                self._back.add(key_of(BACKUP, BACKUP))
                self._soon()
            case _ if (trouble := trouble_of(event, self.now())) is not None:
                self._troubles[trouble.key] = together(self._troubles.get(trouble.key), trouble)
                self._back.discard(trouble.key)
                self._soon()

    def _soon(self) -> None:
        """Not at once: what belongs together comes within moments."""
        if not self._awaited:
            self._awaited = True
            asyncio.get_running_loop().call_later(self.collect, self.pulse.beat)

    async def step(self) -> float:
        """Write, tell, close. Raises `DatabaseDown`; what was not written is kept for the next time."""
        self._awaited = False
        troubles, self._troubles = self._troubles, {}
        back, self._back = self._back, set()
        try:
            self._open = {r["key"]: (r["kind"], r["subject"]) for r in await self.link.fetch(OPEN)}
            if troubles or self._open:
                await self._write(list(troubles.values()), [*back, *await self._emptied()])
        except BaseException:
            self._back |= back - self._troubles.keys()
            self._troubles = troubles | {k: together(troubles.get(k), later) for k, later in self._troubles.items()}
            raise
        self._open |= {t.key: (t.kind, t.subject) for t in troubles.values()}
        return LOOK_EVERY

    @property
    def pending(self) -> bool:
        return bool(self._troubles or self._back)

    async def _emptied(self) -> list[str]:
        """Keys of queues that have no dead items any more."""
        keys = []
        for key, (kind, subject) in self._open.items():
            if kind == "dead" and subject in self.queues:
                depth = await self.link.fetchrow(self.queues[subject].statements["depth"])
                if depth is not None and not depth["dead"]:
                    keys.append(key)
        return keys

    async def _write(self, troubles: Sequence[Trouble], over: Sequence[str]) -> None:
        async with self.link.held() as connection, connection.transaction():
            if troubles:
                await connection.execute(RECORD.text, *_columns(troubles))
            if self.receivers:
                due = [dict(row) for row in await connection.fetch(DUE.text, TELL_EVERY, AT_ONCE)]
                told = [row for row in due if any(reaches(receiver, row) for receiver in self.receivers)]
                await connection.execute(TOLD.text, [row["key"] for row in told])
                await self._leave(connection, notices("alert", told, self.receivers, self.node))
            closed = await connection.fetch(CLOSE.text, over)
            known = [dict(row) for row in closed if row["told_count"]]
            await self._leave(connection, notices("recovered", known, self.receivers, self.node))

    async def _leave(self, connection: asyncpg.Connection, messages: Sequence[Notice]) -> None:
        if messages:
            await connection.execute(
                LEAVE.text,
                [m.receiver.channel for m in messages],
                [m.receiver.address for m in messages],
                [m.template for m in messages],
                [to_json(m.data) for m in messages],
                [m.dedupe_key for m in messages],
                NEWS_FOR,
            )


def _columns(troubles: Sequence[Trouble]) -> tuple[list[object], ...]:
    return (
        [t.key for t in troubles],
        [t.kind for t in troubles],
        [t.subject for t in troubles],
        [storable(t.detail) for t in troubles],
        [t.run for t in troubles],
        [t.first_at for t in troubles],
        [t.last_at for t in troubles],
        [t.count for t in troubles],
    )
