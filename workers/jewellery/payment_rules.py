"""What becomes of a payment, given what is known here and what the provider says. Pure; the webhook and the
reconciler go by it alike, in whatever order and however often they hear of the same thing.

The rules move forward only. A failure is not final, because a bank may authorise late; money that has arrived is never
forgotten; and what does not fit (another amount, a cancelled order, a second capture) waits for a person as REVIEW,
until a ruling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

PLACED = "PLACED"
TAKEN_BACK = frozenset({"CANCELLED", "RETURN_APPROVED"})

UNKNOWN_AFTER = timedelta(hours=24)
"""A payment that the provider has not heard of by then was never begun."""
GIVE_UP_AFTER = timedelta(days=5)
"""Banks authorise late for some three days, and what is not captured goes back after at most five."""
WARN_AFTER = timedelta(hours=48)
"""Authorised for so long and not captured: somebody has to, before it goes back."""


class Status(StrEnum):
    PENDING = "PENDING"
    AUTHORIZED = "AUTHORIZED"
    CAPTURED = "CAPTURED"
    FAILED = "FAILED"
    REFUNDED = "REFUNDED"
    REVIEW = "REVIEW"
    EXPIRED = "EXPIRED"


OPEN = frozenset({Status.PENDING, Status.AUTHORIZED})
UNPAID = OPEN | {Status.FAILED, Status.EXPIRED}
"""No money has come by it so far, and some still may."""


class Ruling(StrEnum):
    """What a person decides about a payment in REVIEW: its money is good, or has been given back."""

    ACCEPT = "accept"
    REFUNDED = "refunded"


class Effect(StrEnum):
    CONFIRM = "confirm the order"
    RELEASE = "release its locks"
    TELL_CUSTOMER = "tell the customer that it failed"
    CALL_PERSON = "tell the administrators"
    WARN = "warn that it is not captured"
    MAY_CAPTURE = "may be captured"
    SECOND = "keep as a payment of its own"


@dataclass(frozen=True, slots=True)
class Local:
    """A payment and its order as they are here. `minor`: smallest units of `currency`, None if it cannot be said so.
    `age`: since the payment, or the attempt that is told of, began, whichever was later.
    """

    status: Status
    minor: int | None
    currency: str
    attempt: str | None = None
    order_status: str = PLACED
    paid_by_another: bool = False
    age: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Seen:
    """One attempt at paying, as the provider tells of it. Amounts are in smallest units.

    `status`: created, authorized, captured, failed or refunded.
    """

    attempt: str
    order: str | None
    status: str
    minor: int
    currency: str
    refunded: int = 0
    reason: str | None = None
    at: datetime | None = None

    @property
    def given_back(self) -> bool:
        return self.status == "refunded" or (self.status == "captured" and self.refunded >= self.minor)


@dataclass(frozen=True, slots=True)
class Decision:
    """`status` is the new one; the old one where nothing changes. `reason` is for people, where there is one."""

    status: Status
    effects: frozenset[Effect] = frozenset()
    reason: str | None = None


def transition(local: Local, seen: Seen | Ruling | None) -> Decision:
    """`seen` is None when the provider was asked and knows of no attempt."""
    if seen is None:
        return _unheard_of(local)
    if isinstance(seen, Ruling):
        return _ruled(local, seen)
    if seen.given_back:
        return _given_back(local, seen)
    rule = {"captured": _captured, "authorized": _authorized, "failed": _failed, "created": _begun}[seen.status]
    return rule(local, seen)


def _unheard_of(local: Local) -> Decision:
    if local.status is Status.PENDING and local.age >= UNKNOWN_AFTER:
        return _given_up("the provider knows of no attempt to pay")
    return Decision(local.status)


def _begun(local: Local, _: Seen) -> Decision:
    if local.status is Status.PENDING and local.age >= GIVE_UP_AFTER:
        return _given_up("begun, and not finished in time")
    return Decision(local.status)


def _given_up(reason: str) -> Decision:
    return Decision(Status.EXPIRED, frozenset({Effect.RELEASE}), reason)


def _authorized(local: Local, seen: Seen) -> Decision:
    if local.status not in UNPAID:
        return Decision(local.status)
    if local.age >= GIVE_UP_AFTER:  # it is about to go back, or gone
        news = frozenset() if local.status is Status.EXPIRED else frozenset({Effect.RELEASE, Effect.CALL_PERSON})
        return Decision(Status.EXPIRED, news, "authorised, and never captured")
    found = {Effect.WARN} if local.age >= WARN_AFTER else set()
    the_only_one = local.status is not Status.AUTHORIZED or local.attempt in (None, seen.attempt)
    if the_only_one and _objection(local, seen) is None and local.order_status == PLACED:
        found.add(Effect.MAY_CAPTURE)
    return Decision(Status.AUTHORIZED, frozenset(found))


def _captured(local: Local, seen: Seen) -> Decision:
    if local.status not in UNPAID:
        if local.attempt in (None, seen.attempt):
            return Decision(local.status)
        why = f"a second payment, beside {local.attempt}"
        return Decision(local.status, frozenset({Effect.SECOND, Effect.CALL_PERSON}), why)
    if (why_not := _objection(local, seen)) is not None:
        return Decision(Status.REVIEW, frozenset({Effect.CALL_PERSON}), why_not)
    return Decision(Status.CAPTURED, frozenset({Effect.CONFIRM} if local.order_status == PLACED else ()))


def _objection(local: Local, seen: Seen) -> str | None:
    """Why this money is not what the order waits for; None when it is."""
    if seen.currency != local.currency:
        return f"paid in {seen.currency}, not in {local.currency}"
    if seen.minor != local.minor:
        asked = "an amount that the currency has no coin for" if local.minor is None else str(local.minor)
        return f"paid {seen.minor} in the smallest unit of {seen.currency}, not {asked}"
    if local.order_status in TAKEN_BACK:
        return f"the order is {local.order_status}"
    if local.paid_by_another:
        return "a second payment: the order is paid already"
    return None


def _failed(local: Local, seen: Seen) -> Decision:
    if local.status not in OPEN or local.attempt not in (None, seen.attempt):
        return Decision(local.status)  # another attempt goes on, or has ended it
    return Decision(Status.FAILED, frozenset({Effect.RELEASE, Effect.TELL_CUSTOMER}), seen.reason)


def _given_back(local: Local, seen: Seen) -> Decision:
    if local.status is Status.REFUNDED or local.attempt not in (None, seen.attempt):
        return Decision(local.status)
    released = frozenset({Effect.RELEASE}) if local.status in UNPAID else frozenset()
    return Decision(Status.REFUNDED, released, seen.reason)


def _ruled(local: Local, ruling: Ruling) -> Decision:
    if refusal(ruling, local.status, local.order_status, paid_by_another=local.paid_by_another) is not None:
        return Decision(local.status)
    if ruling is Ruling.REFUNDED:
        return Decision(Status.REFUNDED)
    return Decision(Status.CAPTURED, frozenset({Effect.CONFIRM} if local.order_status == PLACED else ()))


def refusal(ruling: Ruling, status: str, order_status: str, *, paid_by_another: bool) -> str | None:
    """Why a ruling is not followed, with what to do instead; None when it is."""
    if status != Status.REVIEW:
        return f"it is {status}, and only a payment in REVIEW waits for a person"
    if ruling is Ruling.REFUNDED:
        return None
    if order_status in TAKEN_BACK:
        return f"its order is {order_status}: set the order to {PLACED} first, or give the money back"
    if paid_by_another:
        return "its order is paid by another payment: give this money back"
    return None


RANK = {"captured": 0, "authorized": 1, "created": 2, "refunded": 3, "failed": 4}


def decisive(attempts: Sequence[Seen], known: str | None) -> list[Seen]:
    """Of all attempts at one payment, those that count: every one that was captured, else the most promising one, of
    equals the one that is `known` already."""
    ranked = sorted(attempts, key=lambda s: (RANK["refunded" if s.given_back else s.status], s.attempt != known))
    captured = [seen for seen in ranked if seen.status == "captured" and not seen.given_back]
    return captured or ranked[:1]
