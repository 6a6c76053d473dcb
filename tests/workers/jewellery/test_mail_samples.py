"""The samples of this suite's mails have just what its jobs give."""

from __future__ import annotations

import asyncpg

from tests.mails.senders import unlike_samples
from tests.workers.jewellery.provider import provider
from tests.workers.jewellery.shop import Shop
from tests.workers.jewellery.test_daily_sales_summary import SIX, sold, summed
from tests.workers.jewellery.test_webhook_timeout_handler import reconcile
from workers.jewellery.order_status_changed import order_status_changed
from workers.jewellery.settings import Settings
from workers.jewellery.stock_level_check import stock_level_check


async def test_a_sample_has_just_the_fields_that_its_sender_gives(shop: Shop, connection: asyncpg.Connection) -> None:
    await shop.order("a")
    await shop.payment(order="a")
    for state in ("CONFIRMED", "SHIPPED"):
        await connection.execute("UPDATE jewellery.orders SET status = $1 WHERE id = 'a'", state)
    await shop.perform(order_status_changed)
    async with provider() as razorpay:
        razorpay.tells("pay_1", "order_p1", amount=1)  # not what was asked
        await reconcile(shop, razorpay)
    await connection.execute("UPDATE jewellery.product SET stock = 0")
    await shop.perform(stock_level_check)
    await sold(shop, (SIX, "CONFIRMED", "10.00"))
    await summed(shop)
    assert await unlike_samples(connection, "jewellery", Settings()) == {}
