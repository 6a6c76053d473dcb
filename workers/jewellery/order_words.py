"""What a customer is told of an order: in the application, and by mail. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from workers.jewellery.money import said

CONFIRMED = "CONFIRMED"


@dataclass(frozen=True, slots=True)
class Item:
    """A line of an order. `unit_price` in the order's currency."""

    name: str
    quantity: int
    unit_price: Decimal


@dataclass(frozen=True, slots=True)
class Order:
    """An order as its customer knows it. `customer_id` is None when there is no such customer any more."""

    id: str
    number: str
    customer_id: str | None
    total: Decimal
    currency: str
    tracking_number: str | None = None
    items: Sequence[Item] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    type: str
    title: str
    message: str


NOTICES = {
    "PLACED": Notice("ORDER_PLACED", "Order Placed", "We have received your order and are waiting for your payment."),
    CONFIRMED: Notice(
        "ORDER_CONFIRMED", "Order Confirmed", "Your payment has been received and order is being prepared."
    ),
    "SHIPPED": Notice("ORDER_SHIPPED", "Order Shipped", "Your order is on the way."),
    "DELIVERED": Notice(
        "ORDER_DELIVERED", "Order Delivered", "Your order has been delivered. Please confirm receipt."
    ),
    "CANCELLED": Notice("ORDER_CANCELLED", "Order Cancelled", "Your order has been cancelled."),
    "RETURN_APPROVED": Notice("RETURN_APPROVED", "Return Approved", "Your return has been approved."),
}  # fmt: skip


def notice(status: str, order: Order) -> Notice | None:
    """What is said when an order reaches a state; None for PROCESSING, which is the shop's own affair."""
    found = NOTICES.get(status)
    if found is not None and status == "SHIPPED" and order.tracking_number:
        return Notice(found.type, found.title, f"{found.message} Tracking: {order.tracking_number}")
    return found


@dataclass(frozen=True, slots=True)
class Mail:
    """`key` names the message for ever: one for each order and state."""

    template: str
    key: str
    data: dict[str, Any]


def mail(status: str, order: Order, words: Notice, delivery: date) -> Mail:
    """The order confirmation stands for the notice of CONFIRMED: one event, one mail."""
    data = {"order_number": order.number, "title": words.title, "message": words.message}
    if status != CONFIRMED:
        return Mail("order_notice", f"jewellery:order:{order.id}:{status}", data)
    more = {
        "total": said(order.total, order.currency),
        "estimated_delivery": f"{delivery:%A}, {delivery.day} {delivery:%B %Y}",
        "items": [
            {
                "name": item.name, "quantity": item.quantity,
                "amount": said(item.unit_price * item.quantity, order.currency),
            }
            for item in order.items
        ],
    }  # fmt: skip
    return Mail("order_confirmation", f"jewellery:order-confirm:{order.id}", data | more)
