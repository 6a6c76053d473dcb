"""One channel of this node: messages claimed as its lanes take them, judged, rendered, sent, and settled in batches.

A claimed message is in one of three places: `_todo` (not begun, may be given back unharmed), `_sending` (it may have
arrived), or the results (known, not yet written). Whatever stops this node, the second is all that can repeat.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

import anyio

from daemon.breaker import CLOSED, Breaker
from daemon.channels.channel import Channel, Delivery, Message, Verdict
from daemon.clock import monotonic
from daemon.delivery_pace import Pace
from daemon.delivery_people import PageReader, Ready
from daemon.delivery_results import Results
from daemon.delivery_rules import Settlement, given_back, interrupted, settled
from daemon.delivery_store import DeliveryStore
from daemon.events import ChannelBack, ChannelDisabled, ChannelDown, Event
from daemon.outbox import OutboxRow, Recipient
from daemon.refusals import NONE, Refusals, weighed
from daemon.retry import RetryPolicy

PAGE = 500
PACED_PAGE_SECONDS = 10.0
FLOOR = 10.0
SOONEST = 0.05
SEND_PATIENCE = 300.0  # channels have limits of their own: this is for one that hangs
NOT_REPEATED = "sms"


class Renders(Protocol):
    """`daemon.letters.Letters`: raises when the template does."""

    def rendered(self, row: OutboxRow, recipient: Recipient | None) -> Message: ...


@dataclass
class Deliverer:
    """`step` is a service that claims and probes; `turn` is that of its lanes, as many as the channel's concurrency.

    `may_claim`: not while leaving. `may_send`: the lease is held and the database answers, so that nobody else sends
    the same and the result can be written.
    """

    channel: Channel
    store: DeliveryStore
    results: Results
    pages: PageReader
    letters: Renders
    policy: RetryPolicy
    may_claim: Callable[[], bool]
    may_send: Callable[[], bool]
    now: Callable[[], datetime]
    emit: Callable[[Event], None]
    beat: Callable[[], None]
    chance: Callable[[], float] = random.random
    breaker: Breaker = CLOSED
    refusals: Refusals = NONE
    pace: Pace = field(init=False)
    _todo: deque[Ready] = field(default_factory=deque)
    _sending: dict[int, anyio.CancelScope] = field(default_factory=dict)
    _work: asyncio.Event = field(default_factory=asyncio.Event)
    _claiming: bool = False
    _exhausted: bool = False
    _spoken_for: int = 0

    def __post_init__(self) -> None:
        self.pace = Pace(self.channel.per_second)

    @property
    def busy(self) -> bool:
        return bool(self._claiming or self._todo or self._sending)

    async def step(self) -> float:
        """Claim a page if there is room for one. Raises `DatabaseDown`."""
        if not self.breaker.closed:
            return await self._probe_when_due()
        room = self._room()
        if room <= 0 or not self.may_claim() or self.pace.wait(monotonic()) > FLOOR:
            return FLOOR  # a lane says when there is room
        self._claiming = True
        try:
            node, rows = await self.store.claim(self.channel.name, room)
            self.results.add(*await self._take(node, rows))
        finally:
            self._claiming = False
        self._exhausted = len(rows) < room
        if not self._exhausted:
            return SOONEST
        due = await self.store.next_due(self.channel.name)
        return FLOOR if due is None else min(max(due, SOONEST), FLOOR)

    def _room(self) -> int:
        """How many to claim. Of what must not be repeated no more than is begun at once: the rest is in no doubt."""
        if self.channel.name == NOT_REPEATED:
            return self.channel.concurrency - len(self._todo) - len(self._sending)
        page = PAGE
        if self.channel.per_second is not None:
            page = min(page, max(self.channel.concurrency, int(self.channel.per_second * PACED_PAGE_SECONDS)))
        return 0 if 2 * len(self._todo) > page else page - len(self._todo)

    async def _take(self, node: object, rows: Sequence[OutboxRow]) -> list[Settlement]:
        """Line up what may go now; what may not is settled. Raises `DatabaseDown`, with nothing forgotten."""
        try:
            ready, others = await self.pages.judged(rows)
        except BaseException:
            self.results.add(*(given_back(row) for row in rows))
            raise
        if not self.may_claim() or not self.breaker.closed or node != self.store.node():
            return [*others, *(given_back(r.row) for r in ready)]
        self._todo.extend(ready)
        self._work.set()
        return others

    async def turn(self) -> float:
        """Wait for a message and send it, at the channel's pace. The next turn may follow at once."""
        while self.results.full or len(self._todo) <= self._spoken_for:
            await self._wait_for_work()
        self._spoken_for += 1
        try:
            if wait := self.pace.reserve(monotonic()):
                await asyncio.sleep(wait)
        finally:
            self._spoken_for -= 1
        if not self.may_send():
            self.give_back()
        elif self._todo:
            await self._send(self._todo.popleft())
            if not self._exhausted and self._room() > 0:
                self.beat()
        return 0.0

    async def _wait_for_work(self) -> None:
        if self.results.full:  # the database is slower than the channel
            await self.results.written(1.0)
        else:
            self._work.clear()
            await self._work.wait()

    async def _send(self, ready: Ready) -> None:
        row = ready.row
        with anyio.CancelScope() as scope:
            self._sending[row.token] = scope
            try:
                answer = await self._delivered(ready)
                delivery, self.refusals = weighed(self.refusals, ready.address, answer, tried_before=row.failures > 0)
                self.results.add(
                    settled(row, ready.address, delivery, self.policy, now=self.now(), chance=self.chance())
                )
                self._heed(delivery)
            except Exception as error:
                self.results.add(interrupted(row, f"{type(error).__name__}: {error}"))
                raise
            finally:
                del self._sending[row.token]
        if scope.cancelled_caught:
            self.results.add(interrupted(row, "interrupted while it was being sent"))

    async def _delivered(self, ready: Ready) -> Delivery:
        """What the channel says; what fails before it is asked is the message's own failure."""
        row = ready.row
        try:
            message = self.letters.rendered(row, ready.person)
        except Exception as error:  # noqa: BLE001 - a template may raise anything; it is kept on the message
            return Delivery(Verdict.RETRY, f"{type(error).__name__}: {error}")
        try:
            async with asyncio.timeout(SEND_PATIENCE):
                return await self.channel.send(replace(message, repeated=row.attempts > 1))
        except Exception as error:  # noqa: BLE001 - a channel does not raise; if it does, the message may be out
            return Delivery(Verdict.UNKNOWN, f"{type(error).__name__}: {error}")

    def _heed(self, delivery: Delivery) -> None:
        """What an answer says of the channel as a whole."""
        now = monotonic()
        if delivery.verdict is Verdict.SENT:
            self.pace.went_through()
            self.breaker = CLOSED if self.breaker.closed else self.breaker
        elif (delivery.verdict is Verdict.DOWN or delivery.everybody) and self.breaker.closed:
            self.breaker = self.breaker.opened(now)
            self.emit(ChannelDown(self.channel.name, delivery.detail, self.breaker.wait(now)))
            self.give_back()
            self.beat()
        elif delivery.verdict is Verdict.DISABLED:
            if self.pace.wait(now) < FLOOR:
                self.emit(ChannelDisabled(self.channel.name, delivery.detail))
            self.pace.hold(now, 2 * FLOOR)  # until every node reads it in the table
            self.give_back()
        elif delivery.verdict is Verdict.BUSY and delivery.retry_after is not None:
            self.pace.slow_down(now, delivery.retry_after.total_seconds())
        elif delivery.verdict is Verdict.RETRY and delivery.retry_after is not None:
            self.pace.hold(now, delivery.retry_after.total_seconds())

    async def _probe_when_due(self) -> float:
        if (wait := self.breaker.wait(monotonic())) > 0 or not self.may_claim():
            return wait or FLOOR
        try:
            async with asyncio.timeout(SEND_PATIENCE):
                answer = await self.channel.probe()
        except TimeoutError:
            answer = Delivery(Verdict.DOWN, "the probe was not answered")
        now = monotonic()
        if answer.verdict is Verdict.SENT:
            self.emit(ChannelBack(self.channel.name, now - (self.breaker.opened_at or now)))
            self.breaker = self.breaker.closed_on_trial()
            return 0.0
        self.breaker = self.breaker.probed_in_vain(now)
        return self.breaker.wait(now)

    def give_back(self) -> None:
        """What was not begun goes back at no cost."""
        waiting, self._todo = list(self._todo), deque()
        self.results.add(*(given_back(r.row) for r in waiting))

    def stop(self) -> None:
        """Give back what was not begun, and cut short what was."""
        self.give_back()
        for scope in list(self._sending.values()):
            scope.cancel()
