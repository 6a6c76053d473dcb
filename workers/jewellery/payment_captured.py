"""Work the events that the payment provider has sent: the webhook keeps them, this applies them, within a moment."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from daemon import Context, Priority, QueueItem, Transaction, WorkQueue, days, minutes, poll, seconds, sql
from workers.jewellery import payment_alarms, razorpay_shapes
from workers.jewellery.payment_capture import captured
from workers.jewellery.payment_rules import Seen
from workers.jewellery.razorpay import ProviderAway, ProviderRefuses, Razorpay, TooManyRequests
from workers.jewellery.reconciliation import COUNTED, bucket_of
from workers.jewellery.settings import Settings
from workers.jewellery.settlement import Moment, NoSuchPayment, Observation, settle

EVENTS, KNOWN, PROCESSED, NOT_USED = sql.load(__file__, "events", "known", "processed", "not_used")

AHEAD = 100

TRIES = 3
"""The row of a payment may come after its event; after so many looks a person is told."""
QUEUE = WorkQueue("jewellery.webhook_queue", key="event_no", max_failures=TRIES)


@dataclass
class Work:
    """One pass over the queue. `ahead`: what was read of events that come next, or why it could not be."""

    ctx: Context
    provider: Razorpay
    counts: Counter[str] = field(default_factory=Counter)
    ahead: dict[int, Seen | Exception | None] = field(default_factory=dict)
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def perform(self, item: QueueItem) -> Seen | None:
        """What the event tells of a payment; None for an event about something else.

        Raises `Unreadable`, and `NoSuchPayment` where the shop has no row for it yet.
        """
        async with self._reading:
            if item.key not in self.ahead:
                await self._read_ahead(item.key)
        found = self.ahead.pop(item.key)
        if isinstance(found, Exception):
            raise found
        return None if found is None else await self._captured(found)

    async def _read_ahead(self, key: int) -> None:
        """This event and those after it: a look at the database costs the same for many."""
        async with self.ctx.snapshot() as reader:
            read = {row["event_no"]: what_it_tells(row["body"]) for row in await reader.fetch(EVENTS, key, AHEAD)}
            seen = [found for found in read.values() if isinstance(found, Seen)]
            known = await reader.fetch(KNOWN, [s.attempt for s in seen], [s.order for s in seen if s.order])
        names = {row["attempt"] for row in known} | {row["provider_order"] for row in known}
        for event_no, found in read.items():
            if isinstance(found, Seen) and names.isdisjoint({found.attempt, found.order} - {None}):
                self.ahead[event_no] = NoSuchPayment(f"there is no payment for {found.attempt} of {found.order}")
            else:
                self.ahead[event_no] = found

    async def _captured(self, seen: Seen) -> Seen:
        """What cannot be captured now stays authorised: the reconciler asks again."""
        try:
            return await captured(self.ctx, self.provider, seen)
        except (ProviderAway, ProviderRefuses, TooManyRequests) as error:
            self.ctx.log.warning("%s could not be captured: %s", seen.attempt, error)
            return seen

    async def save(self, tx: Transaction, done: Sequence[tuple[QueueItem, Seen | None]]) -> None:
        moment = Moment("webhook", self.ctx.run_id, self.ctx.now(), self.ctx.settings)
        observations = [Observation(seen) for _, seen in done if seen is not None]
        if observations:
            settlement = await settle(tx, observations, moment)
            self.counts.update(COUNTED[step.new] for step in settlement.steps if step.new in COUNTED)
            for alarm in settlement.alarms:
                self.ctx.log.warning("%s: %s", alarm.title, alarm.message)
        await tx.execute(PROCESSED, [item.key for item, _ in done], moment.now)

    async def save_failures(self, tx: Transaction, failures: Sequence[tuple[QueueItem, str]]) -> None:
        """Of those that will not be tried again by themselves."""
        settings: Settings = self.ctx.settings
        for item, error in failures:
            if item.failures + 1 >= TRIES:
                event_id = await tx.fetchval(NOT_USED, item.key, error)
                alarm = payment_alarms.unmatched(event_id, error)
                await payment_alarms.tell_administrators(tx, settings.administrators, alarm)


def what_it_tells(body: bytes) -> Seen | Exception | None:
    try:
        return razorpay_shapes.of_event(body)
    except razorpay_shapes.Unreadable as error:
        return error


@poll(
    seconds(2), wake=QUEUE, priority=Priority.HIGH, timeout=minutes(1), connections=3, retention=days(30),
    aliases=("payment-captured",),
)  # fmt: skip
async def payment_captured(ctx: Context) -> dict[str, int] | None:
    """Apply what the payment provider's events say."""
    settings: Settings = ctx.settings
    bucket = bucket_of(settings.razorpay.per_second)

    async def wait() -> None:
        await asyncio.sleep(bucket.take(asyncio.get_running_loop().time()))

    async with Razorpay(settings.razorpay, wait) as provider:
        work = Work(ctx, provider)
        async for drained in ctx.drain(QUEUE, work.perform, work.save, save_failures=work.save_failures):
            work.counts.update(events=drained.done, events_failed=drained.failed, events_dead=drained.dead)
    return {name: n for name, n in work.counts.items() if n} or None
