"""What Razorpay says, checked before it is believed. Pure; https://razorpay.com/docs/api/payments/entity."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workers.jewellery.payment_rules import Seen

LONGEST_REASON = 500
LONGEST_QUOTE = 200


class Unreadable(ValueError):
    """Not the shape that was agreed on. Says what is wrong, and nothing that could be secret."""


class PaymentEntity(BaseModel):
    """Strict: a number is not text, and an amount is a positive integer of smallest units."""

    model_config = ConfigDict(extra="ignore", strict=True)

    id: Annotated[str, Field(pattern=r"^pay_[A-Za-z0-9]{1,60}$")]
    entity: Literal["payment"]
    amount: Annotated[int, Field(gt=0, lt=10**15)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    status: Literal["created", "authorized", "captured", "refunded", "failed"]
    order_id: Annotated[str, Field(pattern=r"^order_[A-Za-z0-9_]{1,60}$")] | None = None
    amount_refunded: Annotated[int, Field(ge=0)] | None = None
    refund_status: Literal["null", "partial", "full"] | None = None
    error_description: str | None = None
    created_at: Annotated[int, Field(ge=0, lt=10**11)] | None = None

    def seen(self) -> Seen:
        refunded = self.amount if self.refund_status == "full" else self.amount_refunded or 0
        return Seen(
            self.id, self.order_id, self.status, self.amount, self.currency, refunded,
            None if self.error_description is None else self.error_description[:LONGEST_REASON],
            None if self.created_at is None else datetime.fromtimestamp(self.created_at, UTC),
        )  # fmt: skip


class PaymentList(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    entity: Literal["collection"]
    items: list[PaymentEntity]


def decoded(text: bytes | str) -> Mapping[str, Any]:
    """A JSON object. Raises `Unreadable`."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON: {error}"[:LONGEST_QUOTE]) from None
    if not isinstance(value, dict):
        raise Unreadable(f"a JSON {type(value).__name__}, not an object")
    return value


def payment(value: object) -> Seen:
    """Raises `Unreadable`, as the next do."""
    try:
        return PaymentEntity.model_validate(value).seen()
    except ValidationError as error:
        raise Unreadable(_told(error)) from None


def attempts(value: object, order: str) -> list[Seen]:
    """All attempts at paying an order. One of another order among them discredits the whole answer."""
    try:
        found = [entity.seen() for entity in PaymentList.model_validate(value).items]
    except ValidationError as error:
        raise Unreadable(_told(error)) from None
    for seen in found:
        if seen.order != order:
            raise Unreadable(f"asked for payments of {order}, and {seen.attempt} is of {seen.order}")
    return found


def of_event(body: bytes) -> Seen | None:
    """The payment that an event tells of; None for events about something else."""
    payload = decoded(body).get("payload")
    about = payload.get("payment") if isinstance(payload, dict) else None
    if about is None:
        return None
    return payment(about.get("entity") if isinstance(about, dict) else about)


def event_type(body: bytes) -> str:
    """`payment.captured` and the like; empty for what is no event. Never raises: what is signed is kept."""
    try:
        found = decoded(body).get("event")
    except Unreadable:
        return ""
    return found[:100].replace("\0", "") if isinstance(found, str) else ""


def _told(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "the answer"
    return f"{place} = {first['input']!r}"[:LONGEST_QUOTE] + f": {first['msg']}"
