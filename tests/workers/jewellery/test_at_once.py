"""Webhook, reconciler, notices and clean-up at the same payments in the same moment: each effect once, no deadlock."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import asyncpg

from daemon.testing import PerformedRun
from tests.workers.jewellery.provider import provider
from tests.workers.jewellery.shop import NOW, Shop
from tests.workers.jewellery.test_payment_captured import news
from workers.jewellery.cleanup_expired_locks import cleanup_expired_locks
from workers.jewellery.order_status_changed import order_status_changed
from workers.jewellery.payment_captured import payment_captured
from workers.jewellery.webhook_timeout_handler import webhook_timeout_handler

ORDERS = 12
SOMEBODY_WAITS = """SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
    AND wait_event_type = 'Lock' AND state = 'active')"""


async def settled_while(shop: Shop, statement: str) -> PerformedRun:
    """A captured payment is settled beside a transaction of the shop's that has done this and commits meanwhile."""
    await shop.order(items=[("ring", "Ring", 2, "249.75")])
    await shop.payment()
    await news(shop, "captured")
    begun = shop.connection.transaction()
    await begun.start()
    await shop.connection.execute(statement)
    working = asyncio.create_task(shop.perform(payment_captured))
    watching = await asyncpg.connect(shop.url)
    try:
        while not working.done() and not await watching.fetchval(SOMEBODY_WAITS):
            await asyncio.sleep(0.01)
    finally:
        await begun.commit()
        await watching.close()
    return await working


async def test_what_the_shop_sells_meanwhile_is_not_forgotten(shop: Shop) -> None:
    run = await settled_while(shop, "UPDATE jewellery.product SET stock = stock - 5")
    assert run.result == {"events": 1, "recovered": 1}
    assert await shop.value("SELECT stock FROM jewellery.product") == 3


async def test_an_order_that_is_cancelled_meanwhile_is_not_confirmed(shop: Shop) -> None:
    run = await settled_while(shop, "UPDATE jewellery.orders SET status = 'CANCELLED'")
    assert run.result == {"events": 1, "review": 1}
    assert await shop.rows("SELECT o.status, p.status FROM jewellery.orders o, jewellery.payment p") == [
        ("CANCELLED", "REVIEW")
    ]
    assert await shop.value("SELECT stock FROM jewellery.product") == 10


async def test_a_payment_that_is_settled_by_hand_meanwhile_is_not_settled_again(shop: Shop) -> None:
    run = await settled_while(
        shop, "UPDATE jewellery.payment SET status = 'REFUNDED', provider_payment_id = 'pay_1', failure_reason = 'x'"
    )
    assert run.result == {"events": 1}
    assert await shop.rows("SELECT status, failure_reason FROM jewellery.payment") == [("REFUNDED", "x")]
    assert await shop.count("payment_transition") == 0


async def test_a_product_that_is_deleted_meanwhile_is_no_reason_not_to_confirm(shop: Shop) -> None:
    run = await settled_while(shop, "DELETE FROM jewellery.product")
    assert run.result == {"events": 1, "recovered": 1}
    assert await shop.value("SELECT status FROM jewellery.orders") == "CONFIRMED"


async def test_everybody_at_the_same_payments_at_once_settles_each_of_them_once(shop: Shop) -> None:
    await shop.connection.execute("UPDATE jewellery.product SET stock = 100")
    async with provider() as razorpay:
        for n in range(ORDERS):
            expires = NOW + timedelta(days=1 if n % 2 else -1)
            await shop.order(f"o{n}", locked_until=expires)
            await shop.payment(f"p{n}", order=f"o{n}")
            razorpay.tells(f"pay_{n}", f"order_p{n}")
            for status in ("authorized", "captured"):
                await news(shop, status, f"pay_{n}", f"order_p{n}")
        settings = {"razorpay": razorpay.settings()}
        jobs = (payment_captured, webhook_timeout_handler, order_status_changed, cleanup_expired_locks)
        runs = await asyncio.gather(*(shop.perform(job, settings=settings) for job in jobs))
        runs += [await shop.perform(job, settings=settings) for job in jobs[:3]]

    assert [run.error for run in runs] == [None] * 7
    assert await shop.rows("SELECT status, count(*) FROM jewellery.payment GROUP BY 1") == [("CAPTURED", ORDERS)]
    assert await shop.value("SELECT count(*) FROM jewellery.payment_transition WHERE new_status = 'CAPTURED'") == ORDERS
    assert await shop.rows("SELECT status, count(*) FROM jewellery.order_status_history GROUP BY 1 ORDER BY 1") == [
        ("CONFIRMED", ORDERS), ("PLACED", ORDERS),
    ]  # fmt: skip
    assert await shop.rows("SELECT type, count(*) FROM jewellery.notification GROUP BY 1 ORDER BY 1") == [
        ("ORDER_CONFIRMED", ORDERS), ("ORDER_PLACED", ORDERS),
    ]  # fmt: skip
    assert len(await shop.mails()) == 2 * ORDERS
    assert await shop.value("SELECT stock FROM jewellery.product") == 100 - ORDERS
    assert await shop.count("inventory_lock") == 0
