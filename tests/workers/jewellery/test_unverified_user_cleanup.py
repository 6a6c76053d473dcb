"""Accounts that were never verified go after a month; whoever ordered, or is referred to, stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.workers.jewellery.shop import NOW, Shop
from workers.jewellery import unverified_user_cleanup as cleanup
from workers.jewellery.unverified_user_cleanup import unverified_user_cleanup

MONTH = timedelta(days=30)
OLD = NOW - MONTH - timedelta(microseconds=1)


async def cleaned(shop: Shop, **settings: Any) -> dict[str, int]:
    run = await shop.perform(unverified_user_cleanup, settings=settings)
    assert run.error is None
    found: dict[str, int] = run.result
    return found


async def left(shop: Shop) -> list[str]:
    return [id_ for (id_,) in await shop.rows("SELECT id FROM jewellery.customer ORDER BY id")]


async def test_an_empty_shop_has_nobody_to_delete(empty_shop: Shop) -> None:
    assert await cleaned(empty_shop) == {"deleted": 0, "kept_with_orders": 0, "kept_referenced": 0}


async def test_only_old_unverified_accounts_without_orders_go(empty_shop: Shop) -> None:
    shop = empty_shop
    for id_, verified, at in (
        ("old", False, OLD), ("young", False, NOW - MONTH), ("verified", True, OLD), ("ordered", False, OLD),
    ):  # fmt: skip
        await shop.customer(id_, is_verified=verified, created_at=at)
    await shop.customer("nobody", email=None, created_at=OLD)
    await shop.order(customer="ordered", items=[])
    await shop.insert("notification", customer_id="old", type="T", title="t", message="m")
    assert await cleaned(shop) == {"deleted": 2, "kept_with_orders": 1, "kept_referenced": 0}
    assert await left(shop) == ["ordered", "verified", "young"]
    assert await shop.count("notification") == 0


async def test_whoever_the_shops_own_tables_refer_to_stays_and_costs_nobody_else(empty_shop: Shop) -> None:
    shop = empty_shop
    for n in range(9):
        await shop.customer(f"c{n}", created_at=OLD)
    await shop.connection.execute(
        "CREATE TABLE jewellery.wish (customer_id text REFERENCES jewellery.customer);"
        "INSERT INTO jewellery.wish VALUES ('c3'), ('c7')"
    )
    assert await cleaned(shop) == {"deleted": 7, "kept_with_orders": 0, "kept_referenced": 2}
    assert await left(shop) == ["c3", "c7"]


async def test_pages_go_on_past_those_who_stay(empty_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleanup, "MOST_IN_A_PAGE", 2)
    for n in range(7):
        await empty_shop.customer(f"c{n}", created_at=OLD)
    for n in range(4):
        await empty_shop.order(f"o{n}", customer=f"c{n}", items=[])
    assert await cleaned(empty_shop) == {"deleted": 3, "kept_with_orders": 4, "kept_referenced": 0}


async def test_whoever_was_verified_since_their_page_was_read_is_not_taken(empty_shop: Shop) -> None:
    await empty_shop.customer("c1", is_verified=True)
    await empty_shop.customer("c2")
    async with empty_shop.connection.transaction():
        await empty_shop.connection.execute("SET LOCAL search_path = jewellery")
        assert await empty_shop.rows(cleanup.LOCK.text, ["c1", "c2"]) == [("c2",)]


async def test_whoever_is_being_verified_at_this_moment_is_passed_over(empty_shop: Shop) -> None:
    await empty_shop.customer("c1", created_at=OLD)
    async with empty_shop.connection.transaction():
        await empty_shop.connection.execute("UPDATE jewellery.customer SET is_verified = true")
        assert (await cleaned(empty_shop))["deleted"] == 0
    assert await left(empty_shop) == ["c1"]
