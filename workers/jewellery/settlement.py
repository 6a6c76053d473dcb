"""Apply what providers say to payments and orders: the rules of `payment_rules`, in one transaction, effects included.

The webhook, the reconciler and a person's word come here. Applying an observation again changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from daemon import Transaction, sql
from workers.jewellery import order_history, payment_alarms
from workers.jewellery.money import from_minor
from workers.jewellery.order_words import CONFIRMED
from workers.jewellery.payment_alarms import Alarm
from workers.jewellery.payment_books import Books, Payment, locked
from workers.jewellery.payment_rules import OPEN, Decision, Effect, Ruling, Seen, Status, transition
from workers.jewellery.settings import Settings

SAVE_PAYMENTS, ADD_PAYMENTS, ADD_TRANSITIONS, KEEP_REFUNDS, TAKE_STOCK, DROP_LOCKS, CONFIRM_ORDERS = sql.load(
    __file__, "save_payments", "add_payments", "add_transitions", "keep_refunds", "take_stock", "drop_locks",
    "confirm_orders",
)  # fmt: skip


class NoSuchPayment(LookupError):
    """The provider tells of a payment that the shop has no row for; the row may be on its way."""


@dataclass(frozen=True, slots=True)
class Observation:
    """`seen` None: the provider was asked about `payment_id` and knows of no attempt. With a `ruling` nobody was asked:
    it is what a person decides about `payment_id`, and `why` says who and for what reason."""

    seen: Seen | None
    payment_id: str | None = None
    ruling: Ruling | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """Who applies it, and when. `source`: webhook, reconciler or person."""

    source: str
    run_id: int
    now: datetime
    settings: Settings


@dataclass(frozen=True, slots=True)
class Step:
    """One change of one payment; `old` and `new` are the same for a review that left the payment itself alone."""

    payment: Payment
    attempt: str | None
    old: Status
    new: Status
    reason: str | None


@dataclass
class Settlement:
    """What observations come to, before anything is written."""

    books: Books
    moment: Moment
    steps: list[Step] = field(default_factory=list)
    added: list[Payment] = field(default_factory=list)
    refunds: dict[str, int] = field(default_factory=dict)
    confirmed: set[str] = field(default_factory=set)
    released: set[str] = field(default_factory=set)
    failed: dict[str, Payment] = field(default_factory=dict)
    alarms: list[Alarm] = field(default_factory=list)

    def apply(self, observation: Observation) -> None:
        """Raises `NoSuchPayment`."""
        seen = observation.seen
        payment = self.books.of(seen, observation.payment_id)
        if payment is None:
            what = f"for {seen.attempt} of {seen.order}" if seen else observation.payment_id
            raise NoSuchPayment(f"there is no payment {what}")
        local = self.books.local(payment, self.moment.now, seen.at if seen else None)
        decision = transition(local, observation.ruling or seen)
        if Effect.SECOND in decision.effects:
            assert seen is not None
            self._second(payment, seen, decision)
            return
        self._move(payment, seen, decision, observation.why)
        self._effects(payment, seen, decision)

    def _move(self, payment: Payment, seen: Seen | None, decision: Decision, why: str | None) -> None:
        if decision.status is not payment.status:
            attempt = seen.attempt if seen else payment.attempt
            reason = decision.reason or why
            self.steps.append(Step(payment, attempt, payment.status, decision.status, reason))
            payment.status = decision.status
            self.books.decided(payment, attempt)
            payment.reason = None if decision.status is Status.CAPTURED else reason
        if seen is not None and seen.refunded and payment.attempt == seen.attempt:
            self.refunds[payment.id] = max(seen.refunded, self.refunds.get(payment.id, 0))

    def _effects(self, payment: Payment, seen: Seen | None, decision: Decision) -> None:
        order = self.books.orders[payment.order_id]
        if Effect.CONFIRM in decision.effects:
            order.status = CONFIRMED
            self.confirmed.add(order.id)
        if Effect.RELEASE in decision.effects:
            self.released.add(order.id)
        if Effect.TELL_CUSTOMER in decision.effects:
            self.failed[payment.id] = payment
        if Effect.CALL_PERSON in decision.effects:
            self.alarms.append(payment_alarms.review(payment, order, seen, decision.reason))
        if Effect.WARN in decision.effects:
            self.alarms.append(payment_alarms.uncaptured(payment, order))

    def _second(self, first: Payment, seen: Seen, decision: Decision) -> None:
        """Money that came twice is a payment of its own, so that a person finds it and gives it back."""
        second = Payment(
            f"{first.id}:{seen.attempt}", first.order_id, first.provider, first.provider_order, seen.attempt,
            from_minor(seen.minor, seen.currency), seen.currency, Status.REVIEW, self.moment.now, decision.reason,
        )  # fmt: skip
        self.books.add(second)
        self.added.append(second)
        self.steps.append(Step(second, seen.attempt, Status.PENDING, Status.REVIEW, decision.reason))
        self.alarms.append(payment_alarms.review(second, self.books.orders[second.order_id], seen, decision.reason))

    def to_confirm(self) -> set[str]:
        """Without those whose money came and went in the same batch: a refund never confirms."""
        return self.confirmed & {p.order_id for p in self.books.payments if p.status is Status.CAPTURED}

    def to_release(self) -> set[str]:
        """Orders that no other payment may still be made for, and those whose money went at once."""
        waiting = {p.order_id for p in self.books.payments if p.status in OPEN}
        return (self.released - waiting) | (self.confirmed - self.to_confirm())


async def settle(tx: Transaction, observations: Sequence[Observation], moment: Moment) -> Settlement:
    """Lock, decide, write. Raises `NoSuchPayment`, and then nothing is written."""
    asked = [o.payment_id for o in observations if o.payment_id is not None]
    books = await locked(tx, asked, [o.seen for o in observations if o.seen is not None])
    settlement = Settlement(books, moment)
    for observation in observations:
        settlement.apply(observation)
    if settlement.steps:
        await write_payments(tx, settlement)
        await write_orders(tx, settlement)
    if settlement.refunds:
        amounts = [from_minor(minor, books.get(id_).currency) for id_, minor in settlement.refunds.items()]
        await tx.execute(KEEP_REFUNDS, list(settlement.refunds), amounts, moment.now)
    failed = [p for p in settlement.failed.values() if p.status is Status.FAILED]
    for payment in failed:
        await payment_alarms.tell_customer(tx, payment, books.orders[payment.order_id], moment.now)
    for alarm in settlement.alarms:
        await payment_alarms.tell_administrators(tx, moment.settings.administrators, alarm)
    return settlement


async def write_payments(tx: Transaction, settlement: Settlement) -> None:
    moment, steps = settlement.moment, settlement.steps
    if settlement.added:
        new = settlement.added
        await tx.execute(
            ADD_PAYMENTS, [p.id for p in new], [p.order_id for p in new], [p.provider for p in new],
            [p.provider_order for p in new], [p.attempt for p in new], [p.amount for p in new],
            [p.currency for p in new], [p.reason for p in new], moment.now,
        )  # fmt: skip
    moved = list({step.payment.id: step.payment for step in steps if step.payment not in settlement.added}.values())
    await tx.execute(
        SAVE_PAYMENTS, [p.id for p in moved], [str(p.status) for p in moved], [p.attempt for p in moved],
        [p.reason for p in moved],
    )  # fmt: skip
    await tx.execute(
        ADD_TRANSITIONS, [s.payment.id for s in steps], [s.attempt for s in steps], [str(s.old) for s in steps],
        [str(s.new) for s in steps], [s.reason for s in steps], moment.source, moment.run_id, moment.now,
    )  # fmt: skip


async def write_orders(tx: Transaction, settlement: Settlement) -> None:
    """History first, so that the trigger on orders sees that its customer is told already."""
    moment, settings = settlement.moment, settlement.moment.settings
    confirmed = sorted(settlement.to_confirm())
    if confirmed:
        changes = [order_history.Change(id_, CONFIRMED, moment.now, moment.source) for id_ in confirmed]
        await order_history.record(
            tx, changes, run_id=moment.run_id, now=moment.now, delivery_days=settings.delivery_days
        )
        await tx.execute(CONFIRM_ORDERS, confirmed)
        if settings.take_stock:
            for row in await tx.fetch(TAKE_STOCK, confirmed):
                settlement.alarms.append(payment_alarms.short(row, moment.run_id))
    if done_with := sorted({*confirmed, *settlement.to_release()}):
        await tx.execute(DROP_LOCKS, done_with)
