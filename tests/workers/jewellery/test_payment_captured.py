"""Events of the provider are worked once each, in whatever order and however often they come."""

from __future__ import annotations

import itertools
import json
from datetime import timedelta
from typing import Any

import pytest

from daemon.testing import PerformedRun
from tests.workers.jewellery.provider import entity, event, provider
from tests.workers.jewellery.shop import NOW, Shop
from tests.workers.suite_under_test import ADMINISTRATORS
from workers.jewellery.payment_captured import payment_captured

_numbers = itertools.count(1)
LATER = NOW + timedelta(days=30)


async def comes(shop: Shop, body: bytes) -> None:
    n = next(_numbers)
    await shop.connection.execute(
        "WITH kept AS (INSERT INTO jewellery.webhook_event (event_id, type, body, secret_no) VALUES ($1, '', $2, 0) "
        "RETURNING event_no) INSERT INTO jewellery.webhook_queue (event_no) SELECT event_no FROM kept",
        f"evt_{n}", body,
    )  # fmt: skip


async def news(shop: Shop, status: str, attempt: str = "pay_1", order: str = "order_p1", **more: Any) -> None:
    await comes(shop, event(f"payment.{status}", entity(attempt, order, status, **more)))


async def work(shop: Shop, **razorpay: Any) -> PerformedRun:
    return await shop.perform(payment_captured, settings={"razorpay": razorpay})


@pytest.fixture
async def ordered(shop: Shop) -> Shop:
    await shop.order(locked_until=LATER)
    await shop.payment()
    return shop


STORIES = {
    "as it happened": ("created", "authorized", "captured"),
    "backwards": ("captured", "authorized", "created"),
    "twice": ("captured", "captured", "authorized", "authorized"),
    "authorised late": ("failed", "authorized", "captured"),
    "captured late": ("failed", "failed", "captured", "failed"),
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
@pytest.mark.parametrize("at_once", [True, False])
async def test_a_captured_payment_confirms_once_however_the_news_comes(
    ordered: Shop, story: tuple[str, ...], at_once: bool
) -> None:
    for status in story:
        await news(ordered, status)
        if not at_once:
            await work(ordered)
    run = await work(ordered)
    assert run.error is None
    assert await ordered.rows("SELECT status, provider_payment_id FROM jewellery.payment") == [("CAPTURED", "pay_1")]
    assert await ordered.rows("SELECT status, source FROM jewellery.order_status_history") == [("CONFIRMED", "webhook")]
    assert await ordered.rows("SELECT stock FROM jewellery.product") == [(9,)]
    assert await ordered.count("inventory_lock") == 0
    told = ["Order Confirmed"] + ["Payment Failed"] * (story[0] == "failed" and not at_once)
    assert [data["title"] for _, _, data in await ordered.mails()] == told
    assert await ordered.value("SELECT count(*) FROM jewellery.webhook_event WHERE processed_at IS NULL") == 0


async def test_a_failure_releases_the_locks_and_is_told_once(ordered: Shop) -> None:
    for _ in range(2):
        await news(ordered, "failed", error_description="Cancelled by the customer")
        await news(ordered, "authorized")
        await work(ordered)
        await news(ordered, "failed")
        await work(ordered)
    assert await ordered.rows("SELECT status FROM jewellery.payment") == [("FAILED",)]
    assert await ordered.count("inventory_lock") == 0
    assert [data["title"] for _, _, data in await ordered.mails()] == ["Payment Failed"]
    assert await ordered.rows("SELECT type FROM jewellery.notification") == [("PAYMENT_FAILED",)]


async def test_locks_stay_while_another_payment_for_the_order_is_open(ordered: Shop) -> None:
    await ordered.payment("p2")
    left = []
    for attempt, order in (("pay_1", "order_p1"), ("pay_2", "order_p2")):
        await news(ordered, "failed", attempt, order)
        await work(ordered)
        left.append(await ordered.count("inventory_lock"))
    assert left == [1, 0]


async def test_what_is_given_back_at_once_confirms_nothing(ordered: Shop) -> None:
    await news(ordered, "captured")
    await news(ordered, "refunded", amount_refunded=49950, refund_status="full")
    await work(ordered)
    assert await ordered.rows("SELECT status FROM jewellery.payment") == [("REFUNDED",)]
    assert await ordered.count("order_status_history") == 0
    assert await ordered.count("inventory_lock") == 0
    assert await ordered.rows("SELECT stock FROM jewellery.product") == [(10,)]


@pytest.mark.parametrize("at_once", [True, False])
async def test_parts_that_are_given_back_are_kept_and_an_older_answer_takes_none_away(
    ordered: Shop, at_once: bool
) -> None:
    for refunded in (0, 20000, 10000):
        more = {"refund_status": "partial"} if refunded else {}
        await news(ordered, "captured", amount_refunded=refunded, **more)
        if not at_once:
            await work(ordered)
    await work(ordered)
    assert await ordered.rows("SELECT status FROM jewellery.payment") == [("CAPTURED",)]
    assert str(await ordered.value("SELECT amount_refunded FROM jewellery.payment_check")) == "200.000"


async def test_an_event_that_comes_before_its_payment_waits_for_it(shop: Shop) -> None:
    await shop.order()
    await news(shop, "captured")
    first = await work(shop)
    await shop.payment()
    await shop.connection.execute("UPDATE jewellery.webhook_queue SET next_attempt_at = sexton.clock()")
    second = await work(shop)
    assert first.result == {"events_failed": 1}
    assert second.result == {"events": 1, "recovered": 1}


async def test_an_event_whose_payment_never_comes_and_one_that_is_none_are_told_to_a_person(shop: Shop) -> None:
    await news(shop, "captured", order="order_nobody")
    await comes(shop, b'{"payload": {"payment": {"entity": {"id": "pay_2", "amount": -1}}}}')
    await comes(shop, b"not JSON")
    for _ in range(3):
        await work(shop)
        await shop.connection.execute("UPDATE jewellery.webhook_queue SET next_attempt_at = sexton.clock()")
    assert await shop.rows("SELECT state, failures FROM jewellery.webhook_queue") == [("DEAD", 3)] * 3
    errors = [error for (error,) in await shop.rows("SELECT error FROM jewellery.webhook_event ORDER BY event_no")]
    assert errors[0] == "NoSuchPayment: there is no payment for pay_1 of order_nobody"
    assert errors[1].startswith("Unreadable: entity = ")
    assert errors[2].startswith("Unreadable: not JSON")
    assert [whom for _, whom, _ in await shop.mails()] == sorted(ADMINISTRATORS * 3)


async def test_an_attempt_that_is_known_at_another_order_is_applied_to_neither(ordered: Shop) -> None:
    await news(ordered, "authorized")
    await work(ordered)
    await ordered.order("o2")
    await ordered.payment("p2", order="o2")
    await news(ordered, "captured", "pay_1", "order_p2")
    await news(ordered, "captured", "pay_2", "order_p2")
    run = await work(ordered)
    assert run.result == {"events": 1, "events_failed": 1, "recovered": 1}
    assert await ordered.rows("SELECT id, status, provider_payment_id FROM jewellery.payment ORDER BY 1") == [
        ("p1", "AUTHORIZED", "pay_1"), ("p2", "CAPTURED", "pay_2"),
    ]  # fmt: skip
    assert await ordered.value("SELECT last_error FROM jewellery.webhook_queue") == (
        "NoSuchPayment: there is no payment for pay_1 of order_p2"
    )


async def test_a_payment_that_the_suite_does_not_understand_costs_its_own_event_alone(ordered: Shop) -> None:
    await ordered.order("o2")
    await ordered.payment("p2", order="o2")
    await ordered.connection.execute(
        "ALTER TABLE jewellery.payment DROP CONSTRAINT payment_status_check;"
        "UPDATE jewellery.payment SET status = 'DISPUTED' WHERE id = 'p2'"
    )
    for n in (1, 2):
        await news(ordered, "captured", f"pay_{n}", f"order_p{n}")
    run = await work(ordered)
    assert run.result == {"events": 1, "events_failed": 1, "recovered": 1}
    assert (await ordered.value("SELECT last_error FROM jewellery.webhook_queue")).startswith(
        "StrangePayment: payment p2: status = DISPUTED, and the suite knows only PENDING, AUTHORIZED,"
    )


async def test_events_about_something_else_are_only_ticked_off(shop: Shop) -> None:
    await comes(shop, json.dumps({"event": "settlement.processed", "payload": {"settlement": {}}}).encode())
    run = await work(shop)
    assert run.result == {"events": 1}
    assert await shop.value("SELECT processed_at FROM jewellery.webhook_event") == NOW


async def test_what_is_authorised_is_captured_at_once_where_that_is_wanted(ordered: Shop) -> None:
    async with provider() as razorpay:
        razorpay.tells("pay_1", "order_p1", "authorized")
        await news(ordered, "authorized")
        await work(ordered, **razorpay.settings(auto_capture=True))
    assert await ordered.rows("SELECT status FROM jewellery.payment") == [("CAPTURED",)]


async def test_a_capture_that_does_not_come_about_leaves_it_to_the_reconciler(ordered: Shop) -> None:
    async with provider() as razorpay:
        razorpay.trouble["*"] = (503, {}, b"")
        await news(ordered, "authorized")
        run = await work(ordered, **razorpay.settings(auto_capture=True))
    assert run.result == {"events": 1, "authorized": 1}
    assert await ordered.rows("SELECT status FROM jewellery.payment") == [("AUTHORIZED",)]


async def test_a_customer_without_an_address_is_told_in_the_application(ordered: Shop) -> None:
    await ordered.connection.execute("UPDATE jewellery.customer SET email = NULL")
    await news(ordered, "captured")
    run = await work(ordered)
    assert run.error is None
    assert await ordered.rows("SELECT type FROM jewellery.notification") == [("ORDER_CONFIRMED",)]
    assert await ordered.rows("SELECT status FROM jewellery.orders") == [("CONFIRMED",)]
