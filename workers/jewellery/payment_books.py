"""Payments with their orders, locked, as they are and as they become; read once and written once for many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from daemon import Row, Transaction, sql
from workers.jewellery.money import to_minor
from workers.jewellery.payment_rules import Local, Seen, Status

FIND_ORDERS, LOCK_PAYMENTS, LOCK_ORDERS, LOCK_LOCKS = sql.load(
    __file__, "find_orders", "lock_payments", "lock_orders", "lock_locks"
)
PAID = frozenset({Status.CAPTURED})
MOST_SKEW = timedelta(hours=1)
"""A clock further ahead than that is wrong altogether."""


class StrangePayment(ValueError):
    """A row of a shop's own table that the rules cannot be applied to: one of its order waits until it is mended."""


@dataclass
class Payment:
    """A row of `payment`, changed as observations are applied. `attempt` is its provider_payment_id."""

    id: str
    order_id: str
    provider: str
    provider_order: str | None
    attempt: str | None
    amount: Decimal
    currency: str
    status: Status
    created_at: datetime
    reason: str | None = None

    def minor(self) -> int | None:
        try:
            return to_minor(self.amount, self.currency)
        except ValueError:
            return None


@dataclass
class OrderState:
    id: str
    number: str
    customer_id: str
    status: str


@dataclass
class Books:
    """All payments of the orders concerned, oldest first, and these orders.

    Looked up and not through: a batch may be of hundreds, and the event loop stands still while it is applied.
    """

    payments: list[Payment] = field(default_factory=list)
    orders: dict[str, OrderState] = field(default_factory=dict)
    _by_id: dict[str, Payment] = field(default_factory=dict, init=False)
    _by_attempt: dict[str, Payment] = field(default_factory=dict, init=False)
    _by_provider_order: dict[str, Payment] = field(default_factory=dict, init=False)
    _of_order: dict[str, list[Payment]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        for payment in self.payments:
            self._index(payment)

    def add(self, payment: Payment) -> None:
        """A younger one than those that are here."""
        self.payments.append(payment)
        self._index(payment)

    def _index(self, payment: Payment) -> None:
        self._by_id.setdefault(payment.id, payment)
        if payment.attempt is not None:
            self._by_attempt.setdefault(payment.attempt, payment)
        if payment.provider_order is not None:
            self._by_provider_order.setdefault(payment.provider_order, payment)
        self._of_order.setdefault(payment.order_id, []).append(payment)

    def decided(self, payment: Payment, attempt: str | None) -> None:
        """From here on `attempt` is the payment's own, and the one before is not."""
        if payment.attempt is not None and self._by_attempt.get(payment.attempt) is payment:
            del self._by_attempt[payment.attempt]
        payment.attempt = attempt
        if attempt is not None:
            self._by_attempt.setdefault(attempt, payment)

    def get(self, payment_id: str) -> Payment:
        return self._by_id[payment_id]

    def of(self, seen: Seen | None, payment_id: str | None) -> Payment | None:
        """The payment that an attempt belongs to: its own, else the one that was asked about, else its order's.

        None where there is none, and where the attempt is known here as one at another order of the provider's.
        """
        if seen is not None and (own := self._by_attempt.get(seen.attempt)) is not None:
            return own if seen.order in (None, own.provider_order or seen.order) else None
        if payment_id is not None:
            return self._by_id.get(payment_id)
        return self._by_provider_order.get(seen.order) if seen is not None and seen.order is not None else None

    def local(self, payment: Payment, now: datetime, began: datetime | None = None) -> Local:
        """`began`: when the attempt did, by the provider's clock. One far ahead of ours counts for nothing."""
        others = (p for p in self._of_order[payment.order_id] if p is not payment)
        since = payment.created_at
        if began is not None and began < now + MOST_SKEW:
            since = max(since, min(began, now))
        return Local(
            payment.status, payment.minor(), payment.currency, payment.attempt, self.orders[payment.order_id].status,
            any(p.status in PAID for p in others), now - since,
        )  # fmt: skip


async def locked(tx: Transaction, payment_ids: Iterable[str], seen: Sequence[Seen]) -> Books:
    """In this order, each by key, so that nobody waits in a circle: payments, their orders, the orders' locks."""
    concerned = await tx.fetch(
        FIND_ORDERS, list(payment_ids), [s.attempt for s in seen], [s.order for s in seen if s.order is not None]
    )
    order_ids = [row["order_id"] for row in concerned]
    payments = [payment_of(row) for row in await tx.fetch(LOCK_PAYMENTS, order_ids)]
    orders = {
        row["id"]: OrderState(row["id"], row["order_number"], row["customer_id"], row["status"])
        for row in await tx.fetch(LOCK_ORDERS, order_ids)
    }
    await tx.execute(LOCK_LOCKS, order_ids)
    there = [payment for payment in payments if payment.order_id in orders]
    return Books(sorted(there, key=lambda p: (p.created_at, p.id)), orders)


def payment_of(row: Row) -> Payment:
    """Raises `StrangePayment`."""
    for column in ("amount", "currency", "created_at"):
        if row[column] is None:
            raise StrangePayment(f"payment {row['id']} has no {column}: give it one, or let the view")
    if row["status"] not in list(Status):
        raise StrangePayment(
            f"payment {row['id']}: status = {row['status']}, and the suite knows only {', '.join(Status)}: "
            "let the view translate it"
        )
    return Payment(
        row["id"], row["order_id"], row["provider"], row["provider_order_id"], row["provider_payment_id"],
        row["amount"], row["currency"], Status(row["status"]), row["created_at"], row["failure_reason"],
    )  # fmt: skip
