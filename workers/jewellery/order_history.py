"""Keep that an order reached a state, and tell its customer, in one transaction: history, application, mail."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from daemon import Row, Transaction, sql
from workers.jewellery.order_words import Item, Mail, Notice, Order, mail, notice

ORDERS, ADD_HISTORY, ADD_NOTIFICATIONS, ADD_MAILS = sql.load(
    __file__, "orders", "add_history", "add_notifications", "add_mails"
)

ZONE = ZoneInfo("Asia/Kolkata")


@dataclass(frozen=True, slots=True)
class Change:
    """An order came into a state. `source`: webhook, reconciler or shop."""

    order_id: str
    status: str
    at: datetime
    source: str


@dataclass(frozen=True, slots=True)
class Told:
    order: Order
    change: Change
    notice: Notice
    mail: Mail


async def record(tx: Transaction, changes: Sequence[Change], *, run_id: int, now: datetime, delivery_days: int) -> int:
    """How many customers are told. Each order and state is recorded once, and told once; an order that is gone, not.

    `now` is the instant of the notice; the estimated delivery is `delivery_days` after the change, in `ZONE`.
    """
    orders = await load(tx, [change.order_id for change in changes])
    first = {(change.order_id, change.status): change for change in reversed(changes) if change.order_id in orders}
    if not first:
        return 0
    found = list(first.values())
    new = await tx.fetch(
        ADD_HISTORY, [c.order_id for c in found], [c.status for c in found], [c.at for c in found],
        [c.source for c in found],
    )  # fmt: skip
    recorded = sorted((first[row["order_id"], row["status"]] for row in new), key=lambda c: (c.at, c.order_id))
    told = [t for t in (worded(orders[c.order_id], c, delivery_days) for c in recorded) if t is not None]
    await tell(tx, told, run_id, now)
    return len(told)


async def load(tx: Transaction, order_ids: Sequence[str]) -> dict[str, Order]:
    return {row["id"]: order_of(row) for row in await tx.fetch(ORDERS, list(order_ids))}


def order_of(row: Row) -> Order:
    items = [Item(name, quantity, Decimal(price)) for name, quantity, price in json.loads(row["items"])]
    return Order(
        row["id"], row["order_number"], row["customer_id"], row["total_amount"], row["currency"],
        row["tracking_number"], items,
    )  # fmt: skip


def worded(order: Order, change: Change, delivery_days: int) -> Told | None:
    words = notice(change.status, order)
    if words is None or order.customer_id is None:
        return None
    delivery = change.at.astimezone(ZONE).date() + timedelta(days=delivery_days)
    return Told(order, change, words, mail(change.status, order, words, delivery))


async def tell(tx: Transaction, told: Sequence[Told], run_id: int, now: datetime) -> None:
    if not told:
        return
    customers = [t.order.customer_id for t in told]
    metadata = [json.dumps({"orderId": t.order.id, "orderNumber": t.order.number}) for t in told]
    await tx.execute(
        ADD_NOTIFICATIONS, customers, [t.notice.type for t in told], [t.notice.title for t in told],
        [t.notice.message for t in told], metadata, now,
    )  # fmt: skip
    await tx.execute(
        ADD_MAILS, customers, [t.mail.template for t in told], [json.dumps(t.mail.data) for t in told],
        [t.mail.key for t in told], run_id,
    )  # fmt: skip
