"""The sample shop on a real database: loaded once, added to, told to nobody, believable to every job of the suite."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import asyncpg
import pytest

from tests.workers.jewellery.shop import Shop
from workers.jewellery import seed as seeding
from workers.jewellery.cleanup_expired_locks import cleanup_expired_locks
from workers.jewellery.daily_sales_summary import daily_sales_summary
from workers.jewellery.notification_cleanup import notification_cleanup
from workers.jewellery.password_reset_cleanup import password_reset_cleanup
from workers.jewellery.sample_shop import products
from workers.jewellery.seed import seed
from workers.jewellery.stock_level_check import stock_level_check
from workers.jewellery.unverified_user_cleanup import unverified_user_cleanup

STABLE = (
    "SELECT id, name, email, is_verified FROM jewellery.customer WHERE substr(id, 8)::int <= 50 ORDER BY id",
    "SELECT id, total_amount FROM jewellery.orders WHERE split_part(id, '-', 2)::int <= 50 ORDER BY id",
)


async def load(shop: Shop, scale: float) -> Mapping[str, int]:
    return await seed(shop.connection, scale=scale, cache=Path("/nowhere"), progress=lambda *_: None)


async def test_again_is_nothing_new_and_a_larger_scale_adds_to_a_smaller_one(empty_shop: Shop) -> None:
    first = await load(empty_shop, 0.1)
    assert (first["products"], first["customers"], first["orders"], first["payments"]) == (60, 50, 138, 138)
    small = [await empty_shop.rows(query) for query in STABLE]
    assert dict.fromkeys(first, 0) == await load(empty_shop, 0.1)
    assert (await load(empty_shop, 0.12))["customers"] == 10
    assert [await empty_shop.rows(query) for query in STABLE] == small


async def test_an_interrupted_load_goes_on_where_it_stopped(empty_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeding, "BLOCK", 10)
    await empty_shop.connection.execute("ALTER TABLE jewellery.customer ADD CONSTRAINT stop CHECK (id <> 'sample-15')")
    with pytest.raises(asyncpg.CheckViolationError):
        await load(empty_shop, 0.05)
    assert (await empty_shop.count("customer"), await empty_shop.count("orders")) == (10, 30)
    await empty_shop.connection.execute("ALTER TABLE jewellery.customer DROP CONSTRAINT stop")
    assert (await load(empty_shop, 0.05))["customers"] == 15


async def test_a_shop_with_customers_of_its_own_is_left_alone(shop: Shop) -> None:
    with pytest.raises(ValueError, match="customers of its own"):
        await load(shop, 1)
    assert (await shop.count("customer"), await shop.count("product")) == (1, 1)


async def test_every_job_finds_something_to_do_and_nobody_is_told(empty_shop: Shop) -> None:
    shop = empty_shop
    await load(shop, 1)
    now = await shop.value("SELECT sexton.clock()")
    assert await shop.count("order_status_queue") == 0
    states = await shop.rows("SELECT DISTINCT status FROM jewellery.orders")
    assert len(states) == 7
    assert await shop.value("SELECT count(*) FROM jewellery.orders WHERE total_amount <= 0") == 0
    results = {
        job.name.partition(".")[2]: (await shop.perform(job, now)).result
        for job in (cleanup_expired_locks, password_reset_cleanup, notification_cleanup, unverified_user_cleanup,
                    stock_level_check, daily_sales_summary)
    }  # fmt: skip
    for name in ("cleanup_expired_locks", "password_reset_cleanup", "notification_cleanup", "unverified_user_cleanup"):
        assert results[name]["deleted"] > 0, name
    assert min(results["stock_level_check"].values()) > 0
    assert results["daily_sales_summary"]["final"][0]["count"] > 0
    reviews = await shop.value("SELECT count(*) FROM jewellery.payment WHERE status = 'REVIEW'")
    assert reviews == await shop.count("payment_transition") > 5


def test_the_samples_prices_end_in_nine_and_its_skus_are_its_own() -> None:
    assert len({sku for sku, _, _ in products()}) == len(products()) == 60
    assert all(price % 10 == 9 for _, _, price in products())
