"""Webhook, reconciler, notices and clean-up at the same payments in the same moment: each effect once, no deadlock."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from tests.workers.jewellery.provider import provider
from tests.workers.jewellery.shop import NOW, Shop
from tests.workers.jewellery.test_payment_captured import news
from workers.jewellery.cleanup_expired_locks import cleanup_expired_locks
from workers.jewellery.order_status_changed import order_status_changed
from workers.jewellery.payment_captured import payment_captured
from workers.jewellery.webhook_timeout_handler import webhook_timeout_handler

ORDERS = 12


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
