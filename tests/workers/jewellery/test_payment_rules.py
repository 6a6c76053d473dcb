"""The rules of payments: forward only, the same however often and in whatever order the provider's news comes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.jewellery.payment_rules import (
    GIVE_UP_AFTER,
    OPEN,
    UNKNOWN_AFTER,
    Decision,
    Effect,
    Local,
    Ruling,
    Seen,
    Status,
    decisive,
    refusal,
    transition,
)

HOUR = timedelta(hours=1)
STATUSES = st.sampled_from(list(Status))
ATTEMPTS = st.sampled_from(["pay_1", "pay_2"])
AGES = st.sampled_from([HOUR, UNKNOWN_AFTER, GIVE_UP_AFTER])
LOCALS = st.builds(
    Local, STATUSES, st.sampled_from([100, 99, None]), st.sampled_from(["INR", "JPY"]),
    st.none() | ATTEMPTS, st.sampled_from(["PLACED", "CONFIRMED", "SHIPPED", "CANCELLED", "RETURN_APPROVED"]),
    st.booleans(), AGES,
)  # fmt: skip
SEEN = st.builds(
    Seen, ATTEMPTS, st.just("order_1"), st.sampled_from(["created", "authorized", "captured", "refunded", "failed"]),
    st.just(100), st.just("INR"), st.sampled_from([0, 40, 100]),
)  # fmt: skip
SETTLED = frozenset({Status.CAPTURED, Status.REVIEW, Status.REFUNDED})


def after(local: Local, decision: Decision, seen: Seen | None) -> Local:
    """The same payment once the decision is written."""
    attempt = seen.attempt if seen and decision.status is not local.status else local.attempt
    order = "CONFIRMED" if Effect.CONFIRM in decision.effects else local.order_status
    return Local(
        decision.status, local.minor, local.currency, attempt, order, local.paid_by_another, local.age
    )  # fmt: skip


@given(LOCALS, SEEN | st.none())
def test_the_same_news_again_changes_nothing_more(local: Local, seen: Seen | None) -> None:
    once = transition(local, seen)
    state = after(local, once, seen)
    again = transition(state, seen)
    assert again.status is once.status
    repeatable = {Effect.WARN, Effect.MAY_CAPTURE, Effect.SECOND, Effect.CALL_PERSON}
    assert again.effects <= (repeatable if Effect.SECOND in once.effects or once.status in OPEN else frozenset())


@given(LOCALS, SEEN | st.none() | st.sampled_from(Ruling))
def test_money_that_has_arrived_is_never_forgotten(local: Local, seen: Seen | Ruling | None) -> None:
    new = transition(local, seen).status
    if isinstance(seen, Ruling):
        why_not = refusal(seen, local.status, local.order_status, paid_by_another=local.paid_by_another)
        assert (new is local.status) == (why_not is not None)
        assert local.status is Status.REVIEW or new is local.status
        return
    if local.status is Status.CAPTURED:
        assert new in (Status.CAPTURED, Status.REFUNDED)
    if local.status is Status.REVIEW:
        assert new in (Status.REVIEW, Status.REFUNDED)
    if local.status is Status.REFUNDED:
        assert new is Status.REFUNDED


@given(LOCALS, SEEN | st.none())
def test_an_order_is_confirmed_only_by_its_own_money_and_only_once(local: Local, seen: Seen | None) -> None:
    decision = transition(local, seen)
    if Effect.CONFIRM in decision.effects:
        assert seen is not None
        assert (seen.status, seen.minor, seen.currency) == ("captured", local.minor, local.currency)
        assert (local.order_status, local.paid_by_another, decision.status) == ("PLACED", False, Status.CAPTURED)
        assert local.status not in SETTLED


@given(LOCALS, SEEN | st.none())
def test_what_is_captured_for_us_would_have_been_right_to_pay(local: Local, seen: Seen | None) -> None:
    if Effect.MAY_CAPTURE in transition(local, seen).effects:
        assert seen is not None
        assert seen.status == "authorized"
        paid = Seen(seen.attempt, seen.order, "captured", seen.minor, seen.currency)
        assert Effect.CONFIRM in transition(local, paid).effects


@given(LOCALS, SEEN | st.none())
def test_locks_are_released_only_when_the_payment_ends_without_money(local: Local, seen: Seen | None) -> None:
    decision = transition(local, seen)
    if Effect.RELEASE in decision.effects:
        assert local.status not in SETTLED
        assert decision.status in (Status.FAILED, Status.EXPIRED, Status.REFUNDED)


@given(st.lists(SEEN, min_size=1, max_size=6))
def test_a_payment_that_was_captured_ends_paid_in_whatever_order_the_news_comes(
    news: list[Seen],
) -> None:
    """One attempt's history, repeated, and no refund in it: it ends CAPTURED exactly when it was captured."""
    history = [
        Seen("pay_1", "order_1", seen.status, 100, "INR") for seen in news if seen.status != "refunded"
    ]  # fmt: skip
    state = Local(Status.PENDING, 100, "INR")
    confirmed = 0
    for seen in history + history:
        decision = transition(state, seen)
        confirmed += Effect.CONFIRM in decision.effects
        state = after(state, decision, seen)
    captured = any(seen.status == "captured" for seen in history)
    assert (state.status is Status.CAPTURED) == captured
    assert confirmed == captured


@pytest.mark.parametrize(
    ("found", "known", "counts"),
    [
        (["failed", "captured", "created"], None, [1]),
        (["captured", "captured"], None, [0, 1]),
        (["failed", "authorized", "created"], None, [1]),
        (["failed", "created"], None, [1]),
        (["failed", "refunded"], None, [1]),
        (["authorized", "authorized"], "pay_1", [1]),
        ([], None, []),
    ],
)
def test_of_many_attempts_the_most_promising_counts(found: list[str], known: str | None, counts: list[int]) -> None:
    attempts = [Seen(f"pay_{n}", "order_1", status, 100, "INR") for n, status in enumerate(found)]
    assert decisive(attempts, known) == [attempts[n] for n in counts]


def test_a_failure_of_one_attempt_does_not_end_another() -> None:
    held = Local(Status.AUTHORIZED, 100, "INR", "pay_2")
    assert transition(held, Seen("pay_1", "order_1", "failed", 100, "INR")).status is Status.AUTHORIZED


def test_of_two_authorised_attempts_only_the_one_that_is_known_may_be_captured() -> None:
    held = Local(Status.AUTHORIZED, 100, "INR", "pay_2")
    may = {
        attempt: Effect.MAY_CAPTURE in transition(held, Seen(attempt, "order_1", "authorized", 100, "INR")).effects
        for attempt in ("pay_1", "pay_2")
    }
    assert may == {"pay_1": False, "pay_2": True}


def test_a_part_that_was_given_back_leaves_the_payment_captured() -> None:
    paid = Local(Status.CAPTURED, 100, "INR", "pay_1", "CONFIRMED")
    assert transition(paid, Seen("pay_1", "order_1", "captured", 100, "INR", refunded=40)) == Decision(Status.CAPTURED)
    assert transition(paid, Seen("pay_1", "order_1", "captured", 100, "INR", refunded=100)).status is Status.REFUNDED
