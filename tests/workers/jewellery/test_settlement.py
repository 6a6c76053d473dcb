"""Whatever is told of an order's payments, in whatever order: all money is kept, and pays for it once at most."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tests.workers.jewellery.shop import NOW
from workers.jewellery.payment_books import Books, OrderState, Payment
from workers.jewellery.payment_rules import Ruling, Seen, Status
from workers.jewellery.settings import Settings
from workers.jewellery.settlement import Moment, Observation, Settlement

PAYMENT = Payment(
    "p1", "o1", "razorpay", "order_1", None, Decimal("1.00"), "INR", Status.PENDING, NOW - timedelta(hours=1)
)
ORDER_OF = {"pay_1": "order_1", "pay_2": "order_1", "pay_3": "order_2"}
MONEY = (Status.CAPTURED, Status.REVIEW, Status.REFUNDED)


@st.composite
def news(draw: st.DrawFn) -> list[Observation]:
    """Of three attempts at two payments of one order; each has an amount of its own, some another than was asked."""
    amounts = {attempt: draw(st.sampled_from([100, 100, 99])) for attempt in ORDER_OF}
    told = draw(st.lists(
        st.tuples(st.sampled_from(sorted(ORDER_OF)), st.sampled_from(
            ["created", "authorized", "captured", "captured", "refunded", "failed"])), max_size=8))  # fmt: skip
    found = [Observation(Seen(attempt, ORDER_OF[attempt], status, amounts[attempt], "INR")) for attempt, status in told]
    for payment in ("p1", "p2"):
        for ruling in draw(st.lists(st.sampled_from(Ruling), max_size=1)):
            found.insert(draw(st.integers(0, len(found))), Observation(None, payment, ruling, "asha says so"))
    return found


def settled(observations: list[Observation]) -> Settlement:
    payments = [replace(PAYMENT), replace(PAYMENT, id="p2", provider_order="order_2")]
    books = Books(payments, {"o1": OrderState("o1", "ORA-1", "c1", "PLACED")})
    settlement = Settlement(books, Moment("webhook", 1, NOW, Settings()))
    for observation in observations:
        settlement.apply(observation)
    return settlement


@given(news())
def test_money_that_came_is_a_row_of_its_own_for_ever(observations: list[Observation]) -> None:
    rows = settled(observations).books.payments
    for attempt in ORDER_OF:
        came = any(o.seen and (o.seen.attempt, o.seen.status) == (attempt, "captured") for o in observations)
        found = [payment.status for payment in rows if payment.attempt == attempt]
        assert len(found) <= 1
        if came:
            assert found
            assert found[0] in MONEY


@given(news())
def test_an_order_is_paid_by_one_payment_at_most_and_confirmed_while_it_is(
    observations: list[Observation],
) -> None:
    settlement = settled(observations)
    paid = [payment for payment in settlement.books.payments if payment.status is Status.CAPTURED]
    assert len(paid) <= 1
    assert settlement.to_confirm() == ({"o1"} if paid and settlement.confirmed else set())
    if paid and not any(observation.ruling for observation in observations):
        told = next(o.seen for o in observations if o.seen and o.seen.attempt == paid[0].attempt)
        assert told.minor == 100


@given(news())
def test_every_change_is_a_step_from_where_the_one_before_ended(observations: list[Observation]) -> None:
    at: dict[str, Status] = {}
    settlement = settled(observations)
    for step in settlement.steps:
        assert step.old is at.get(step.payment.id, Status.PENDING)
        assert step.new is not step.old
        at[step.payment.id] = step.new
    for payment in settlement.books.payments:
        assert payment.status is at.get(payment.id, Status.PENDING)


@given(news())
def test_locks_are_kept_while_the_order_may_still_be_paid(observations: list[Observation]) -> None:
    settlement = settled(observations)
    if any(payment.status in (Status.PENDING, Status.AUTHORIZED) for payment in settlement.books.payments):
        assert settlement.to_release() <= settlement.confirmed
