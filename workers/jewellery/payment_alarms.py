"""What people are told of payments that did not go as they should: the customer once, the administrators once each."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from daemon import Row, Transaction, sql
from workers.jewellery.money import from_minor, said
from workers.jewellery.payment_books import OrderState, Payment
from workers.jewellery.payment_rules import Seen, Status

(ADD_NOTIFICATION,) = sql.load(__file__, "add_notification")

FAILED_TITLE = "Payment Failed"
FAILED = (
    "Your payment did not go through, and the pieces are no longer reserved. Should your bank release the payment "
    "after all, we confirm your order."
)


@dataclass(frozen=True, slots=True)
class Alarm:
    """For the administrators. `key` names it for ever; `facts` are label and value."""

    key: str
    title: str
    message: str
    remedy: str
    facts: tuple[tuple[str, str], ...] = ()


def review(payment: Payment, order: OrderState, seen: Seen | None, reason: str | None) -> Alarm:
    arrived = (
        () if seen is None else (("Told by the provider", said(from_minor(seen.minor, seen.currency), seen.currency)),)
    )
    return Alarm(
        f"jewellery:payment-review:{payment.id}:{payment.attempt}:{payment.status}",
        f"Payment of order {order.number} needs a look",
        f"It is {payment.status}: {reason}.",
        f"Nothing was confirmed, shipped or refunded for it. Look it up at the provider. {what_to_do(payment)}",
        (*_facts(payment, order), *arrived),
    )


def what_to_do(payment: Payment) -> str:
    if payment.status is not Status.REVIEW:
        return "Ask the customer to pay once more, or cancel the order."
    args = shlex.quote(json.dumps({"payment": payment.id, "decision": "accept"}))
    return (
        f"Refund it there, or accept it: sexton run-job jewellery.payment_review --args {args} --reason WHY. "
        'The other decision is "refunded".'
    )


def uncaptured(payment: Payment, order: OrderState) -> Alarm:
    return Alarm(
        f"jewellery:payment-uncaptured:{payment.id}",
        f"Payment of order {order.number} is not captured",
        "It was authorised over 48 hours ago. What is not captured goes back to the customer after 3 to 5 days.",
        "Capture it at the provider, or cancel the order. With razorpay.auto_capture it is done for you.",
        _facts(payment, order),
    )


def short(row: Row, run_id: int) -> Alarm:
    return Alarm(
        f"jewellery:stock-short:{row['id']}:{run_id}",
        f"Sold more of {row['sku']} than there is",
        f"{row['pieces']} were paid, {row['stock']} were there: the reservation had lapsed before the payment came.",
        "Find the missing pieces, or refund an order.",
        (("Product", row["id"]), ("Orders", row["orders"])),
    )


def unmatched(event_id: str, error: str) -> Alarm:
    return Alarm(
        f"jewellery:webhook-unmatched:{event_id}",
        "An event of the payment provider could not be used",
        error,
        "Look the payment up at the provider. When its row is there: sexton retry jewellery.webhook_queue --all.",
        (("Event", event_id),),
    )


def _facts(payment: Payment, order: OrderState) -> tuple[tuple[str, str], ...]:
    return (
        ("Order", order.number), ("Order status", order.status), ("Payment", payment.id),
        ("Provider's payment", payment.attempt or "none"), ("Provider's order", payment.provider_order or "none"),
        ("Amount asked", said(payment.amount, payment.currency)),
    )  # fmt: skip


def letter(alarm: Alarm) -> dict[str, Any]:
    return {"title": alarm.title, "message": alarm.message, "remedy": alarm.remedy, "facts": alarm.facts}


async def tell_administrators(tx: Transaction, administrators: Sequence[str], alarm: Alarm) -> None:
    data = letter(alarm)
    for address in administrators:
        await tx.notify("payment_alarm", address=address, key=f"{alarm.key}:{address}", data=data, kind="alert")


async def tell_customer(tx: Transaction, payment: Payment, order: OrderState, now: datetime) -> None:
    """Once for each payment, however often it fails."""
    title, message = FAILED_TITLE, FAILED
    data = {"title": title, "message": message, "order_number": order.number}
    if await tx.notify("order_notice", to=order.customer_id, key=f"jewellery:payment-failed:{payment.id}", data=data):
        await tx.execute(ADD_NOTIFICATION, order.customer_id, title, message, order.id, order.number, now)
