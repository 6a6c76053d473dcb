"""Whom an attempt belongs to, and how old it is, whatever the clocks say."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.workers.jewellery.shop import NOW
from workers.jewellery.payment_books import Books, OrderState, Payment
from workers.jewellery.payment_rules import Seen, Status

HOUR = timedelta(hours=1)
FIRST = Payment("p1", "o1", "razorpay", "order_1", "pay_1", Decimal(1), "INR", Status.FAILED, NOW - 9 * HOUR)
SECOND = replace(FIRST, id="p2", provider_order="order_2", attempt=None, status=Status.PENDING)
BARE = replace(FIRST, id="p3", provider_order=None, attempt="pay_3")
BOOKS = Books([FIRST, SECOND, BARE], {"o1": OrderState("o1", "ORA-1", "c1", "PLACED")})


@pytest.mark.parametrize(
    ("attempt", "order", "asked", "found"),
    [
        ("pay_1", "order_1", None, "p1"),
        ("pay_1", None, None, "p1"),
        ("pay_1", "order_1", "p2", "p1"),
        ("pay_1", "order_2", None, None),
        ("pay_1", "order_2", "p2", None),
        ("pay_2", "order_2", None, "p2"),
        ("pay_2", "order_9", "p2", "p2"),
        ("pay_2", "order_9", None, None),
        ("pay_2", None, None, None),
        ("pay_3", "order_3", None, "p3"),
    ],
)
def test_an_attempt_belongs_to_its_own_payment_else_to_the_one_asked_about_else_to_its_orders(
    attempt: str, order: str | None, asked: str | None, found: str | None
) -> None:
    payment = BOOKS.of(Seen(attempt, order, "captured", 100, "INR"), asked)
    assert (payment and payment.id) == found


@pytest.mark.parametrize(("began", "age"), [(None, 9), (-2, 2), (-9, 9), (-40, 9), (0, 0), (0.5, 0), (5, 9)])
def test_an_age_counts_from_the_attempt_and_never_from_before_the_payment_or_after_now(
    began: float | None, age: int
) -> None:
    """The provider's clock may be ahead of ours, or behind it."""
    local = BOOKS.local(FIRST, NOW, None if began is None else NOW + began * HOUR)
    assert local.age == age * HOUR
