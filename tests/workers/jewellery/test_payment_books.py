"""Whom an attempt belongs to, and how old it is, whatever the clocks say."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def looked_through(payments: list[Payment], seen: Seen | None, payment_id: str | None) -> Payment | None:
    own = [p for p in payments if seen is not None and p.attempt == seen.attempt]
    if own and seen is not None:
        return own[0] if seen.order is None or own[0].provider_order in (None, seen.order) else None
    asked = [p for p in payments if p.id == payment_id]
    by_order = [p for p in payments if seen is not None and payment_id is None and p.provider_order == seen.order]
    return next(iter([*asked, *by_order]), None)


ATTEMPTS, ORDERS = [f"pay_{n}" for n in range(4)], [f"order_{n}" for n in range(3)]
COUNT = 4


@given(
    st.lists(st.sampled_from(ORDERS), min_size=COUNT, max_size=COUNT), st.integers(0, COUNT),
    st.lists(st.tuples(st.integers(0, COUNT - 1), st.sampled_from(ATTEMPTS)), max_size=4),
)  # fmt: skip
def test_whatever_was_decided_meanwhile_a_payment_is_found_as_by_looking_through_all(
    orders: list[str], with_attempts: int, decisions: list[tuple[int, str]]
) -> None:
    books = Books()
    for n, order in enumerate(orders):
        attempt = ATTEMPTS[n] if n < with_attempts else None
        books.add(replace(FIRST, id=f"p{n}", provider_order=order, attempt=attempt))
    for n, attempt in decisions:
        if all(p.attempt != attempt for p in books.payments):  # as the table's key has it: one payment an attempt
            books.decided(books.payments[n], attempt)
    seen = [Seen(attempt, order, "captured", 100, "INR") for attempt in ATTEMPTS for order in ORDERS]
    for payment_id in [None, *(p.id for p in books.payments), "p9"]:
        for one in [None, *seen]:
            assert books.of(one, payment_id) is looked_through(books.payments, one, payment_id)
