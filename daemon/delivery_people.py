"""A page of claimed messages, judged: one query a suite for its people, one for whom nobody writes to any more."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from daemon.channels.channel import Delivery, Verdict
from daemon.delivery_rules import Go, Settlement, judged, not_to_be_sent, settled
from daemon.delivery_store import DeliveryStore, NoPeople, People
from daemon.outbox import OutboxRow, Recipient
from daemon.quiet_hours import QuietHours
from daemon.retry import RetryPolicy


@dataclass(frozen=True, slots=True)
class Ready:
    """A message that may go now, and to whom."""

    row: OutboxRow
    person: Recipient | None
    address: str


@dataclass
class PageReader:
    """`quiet` and `home` are for people whose own hours and zone are not known."""

    store: DeliveryStore
    policy: RetryPolicy
    quiet: QuietHours
    home: ZoneInfo
    now: Callable[[], datetime]
    chance: Callable[[], float] = random.random

    async def judged(self, rows: Sequence[OutboxRow]) -> tuple[list[Ready], list[Settlement]]:
        """What may be sent now, in the order given, and what becomes of the rest. Raises `DatabaseDown`."""
        if not rows:
            return [], []
        people, unread = await self._people(rows)
        asked = sorted({(row.suite, row.recipient or row.address or "") for row in rows})
        suppressions = await self.store.suppressions(rows[0].channel, asked)
        ready, others = [], []
        for row in rows:
            if row.recipient is not None and row.suite in unread:
                others.append(self._put_off(row, unread[row.suite]))
                continue
            person = people.get((row.suite, row.recipient)) if row.recipient is not None else None
            suppression = suppressions.get((row.suite, row.recipient or row.address or ""))
            ruling = judged(row, person, suppression, self.now(), self.quiet, self.home)
            if isinstance(ruling, Go):
                ready.append(Ready(row, person, ruling.address))
            else:
                others.append(not_to_be_sent(row, ruling))
        return ready, others

    async def _people(self, rows: Sequence[OutboxRow]) -> tuple[People, dict[str, str]]:
        """Who they are, and why a suite's people could not be read. One suite's broken view is no other's."""
        wanted = defaultdict(set)
        for row in rows:
            if row.recipient is not None:
                wanted[row.suite].add(row.recipient)
        people: People = {}
        unread: dict[str, str] = {}
        for suite, ids in wanted.items():
            try:
                people |= await self.store.people(suite, ids)
            except NoPeople as error:
                unread[suite] = str(error)
        return people, unread

    def _put_off(self, row: OutboxRow, why: str) -> Settlement:
        """Tried again as a refused send is: the view may be put right meanwhile."""
        refused = Delivery(Verdict.RETRY, why)
        return settled(row, "", refused, self.policy, now=self.now(), chance=self.chance())
