"""What Razorpay's answers mean: checked before they are believed, whatever clocks and proxies do to them."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.workers.jewellery.provider import UNKNOWN, entity
from workers.jewellery.payment_rules import Seen
from workers.jewellery.razorpay import (
    NotHeardOf,
    NotLetIn,
    ProviderAway,
    ProviderRefuses,
    TooManyRequests,
    answered,
    seconds_asked,
)
from workers.jewellery.razorpay_shapes import Unreadable, event_type, of_event, payment

DATE = "Sun, 22 Nov 2026 06:30:00 GMT"


def said(status: int, body: object, **headers: str) -> object:
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = httpx.Response(status, headers={"content-type": "application/json", **headers})
    return answered(response, octets)


@pytest.mark.parametrize(
    ("status", "body", "raised"),
    [
        (404, {"error": {"code": "BAD_REQUEST_ERROR"}}, NotHeardOf), (400, UNKNOWN, NotHeardOf),
        (400, {"error": {"code": "BAD_REQUEST_ERROR", "description": "no"}}, ProviderRefuses),
        (400, {}, ProviderRefuses), (401, {}, NotLetIn), (403, {}, NotLetIn), (429, b"", TooManyRequests),
        (500, {}, ProviderAway), (503, b"<html>", ProviderAway), (302, b"", ProviderAway),
        (200, b"[1]", ProviderAway), (200, b"{", ProviderAway), (200, b"[" * 100_000, ProviderAway),
    ],
)  # fmt: skip
def test_every_answer_but_a_good_one_has_its_meaning(status: int, body: Any, raised: type[Exception]) -> None:
    with pytest.raises(raised) as found:
        said(status, body)
    assert type(found.value) is raised  # and none of its kinds


@pytest.mark.parametrize(
    ("retry_after", "date", "seconds"),
    [
        ("120", None, 120.0), (None, DATE, None), ("soon", DATE, None), ("-5", DATE, None),
        ("Sun, 22 Nov 2026 06:32:00 GMT", DATE, 120.0), ("Sun, 22 Nov 2026 06:29:00 GMT", DATE, 0.0),
        ("Sun, 22 Nov 2026 06:32:00 GMT", "nonsense", None),
    ],
)  # fmt: skip
def test_a_date_to_come_again_at_is_held_against_the_answers_own_clock(
    retry_after: str | None, date: str | None, seconds: float | None
) -> None:
    assert seconds_asked(retry_after, date) == seconds


@pytest.mark.parametrize("created_at", [0, 1795329000, 99_999_999_999, None])
def test_no_clock_of_the_providers_makes_its_answer_unreadable(created_at: int | None) -> None:
    found = payment(entity("pay_1", "order_1", created_at=created_at))
    assert (found.status, found.minor) == ("captured", 49950)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "order_1"}, {"id": None}, {"entity": "order"}, {"amount": 0}, {"amount": -1}, {"amount": 499.5},
        {"amount": "49950"}, {"amount": True}, {"amount": 10**15}, {"currency": "inr"}, {"currency": None},
        {"status": "settled"}, {"status": None}, {"order_id": "../payments"}, {"amount_refunded": -1},
        {"refund_status": "most"}, {"created_at": -1},
    ],
    ids=str,
)  # fmt: skip
def test_a_payment_that_is_not_of_the_shape_agreed_on_is_not_believed(changes: dict[str, Any]) -> None:
    with pytest.raises(Unreadable, match=next(iter(changes))):
        payment({**entity("pay_1", "order_1"), **changes})


def test_a_full_refund_gives_all_of_it_back_whatever_amount_is_told() -> None:
    found = payment(entity("pay_1", "order_1", refund_status="full", amount_refunded=0))
    assert found.given_back


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'{"payload": {"payment": 1}}'])
def test_what_cannot_be_read_as_an_event_says_why(body: bytes) -> None:
    with pytest.raises(Unreadable, match=r"JSON|payment|answer"):
        of_event(body)


@pytest.mark.parametrize("body", [b"{}", b'{"payload": 1}', b'{"payload": {"order": {}}}'])
def test_an_event_about_something_else_tells_of_no_payment(body: bytes) -> None:
    assert of_event(body) is None


def test_an_event_tells_of_its_payment_and_its_type() -> None:
    body = json.dumps(
        {"event": "payment.failed\0", "payload": {"payment": {"entity": entity("pay_1", None, "failed")}}}
    )
    assert isinstance(of_event(body.encode()), Seen)
    assert event_type(body.encode()) == "payment.failed"
