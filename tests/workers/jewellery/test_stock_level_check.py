"""Low and sold out: told when it gets worse, again after a day, in one mail; never because nothing has changed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.workers.jewellery.shop import NOW, Shop
from tests.workers.suite_under_test import ADMINISTRATORS
from workers.jewellery.stock_level_check import MOST_LISTED, letter, stock_level_check

HOUR = timedelta(hours=1)


async def checked(shop: Shop, hours: int = 0, **settings: Any) -> tuple[int, int, int]:
    run = await shop.perform(stock_level_check, NOW + hours * HOUR, settings=settings)
    assert run.error is None
    return run.result["low"], run.result["out"], run.result["mailed"]


async def stock(shop: Shop, pieces: int, id_: str = "ring") -> None:
    await shop.connection.execute("UPDATE jewellery.product SET stock = $2 WHERE id = $1", id_, pieces)


async def test_an_empty_shop_has_nothing_to_tell(empty_shop: Shop) -> None:
    assert await checked(empty_shop) == (0, 0, 0)
    assert await empty_shop.mails() == []


async def test_each_step_down_is_told_once_and_steps_up_are_not(shop: Shop) -> None:
    told = []
    for hour, pieces in enumerate((6, 5, 4, 0, 0, 3, 0, 9, 5)):
        await stock(shop, pieces)
        told.append((await checked(shop, hour))[2])
    assert told == [0, 1, 0, 1, 0, 0, 1, 0, 1]
    assert len(await shop.mails()) == 4 * len(ADMINISTRATORS)


async def test_what_goes_on_is_told_again_after_a_day(shop: Shop) -> None:
    await stock(shop, 2)
    assert [(await checked(shop, hours))[2] for hours in (0, 1, 23, 24, 25, 48)] == [1, 0, 0, 1, 0, 1]


async def test_reserved_pieces_are_not_available_until_their_lock_expires(shop: Shop) -> None:
    for pieces, until in ((3, NOW + HOUR), (2, NOW + 2 * HOUR), (9, NOW)):
        await shop.insert("inventory_lock", product_id="ring", quantity=pieces, expires_at=until)
    assert await checked(shop) == (1, 0, 1)
    [(_, _, data), _] = await shop.mails()
    assert data["items"] == [{"sku": "sku-ring", "name": "Ring", "available": 5, "threshold": 5, "state": "LOW"}]
    assert await checked(shop, 1) == (0, 0, 0)


async def test_a_product_may_have_a_threshold_of_its_own(shop: Shop) -> None:
    await shop.product("rare", stock=1, low_stock_threshold=0)
    await shop.product("common", stock=40, low_stock_threshold=50)
    assert await checked(shop, low_stock_threshold=9) == (1, 0, 1)
    assert await shop.rows("SELECT product_id, state FROM jewellery.stock_alert") == [("common", "LOW")]


async def test_all_of_an_hour_are_in_one_mail_the_sold_out_ones_first(shop: Shop) -> None:
    await stock(shop, 3)
    await shop.product("chain", stock=0, name="<script>alert(1)</script>\nBcc: all@example.org")
    assert await checked(shop) == (1, 1, 2)
    template, whom, data = (await shop.mails())[0]
    assert (template, whom, data["type"]) == ("stock_alert", ADMINISTRATORS[0], "LOW_STOCK_ALERT")
    subject, text, html = shop.made(template, data)
    assert subject == "1 sold out, 1 low"
    assert text.splitlines()[2:4] == [
        "OUT  sku-chain  <script>alert(1)</script> Bcc: all@example.org: 0 available (low at 5)",
        "LOW  sku-ring  Ring: 3 available (low at 5)",
    ]
    assert html is not None
    assert "<script" not in html


async def test_without_administrators_the_state_is_kept_all_the_same(shop: Shop) -> None:
    await stock(shop, 0)
    assert await checked(shop, administrators=()) == (0, 1, 0)
    assert await shop.mails() == []
    assert await shop.rows("SELECT state FROM jewellery.stock_alert") == [("OUT",)]


async def test_a_product_that_is_deleted_is_forgotten(shop: Shop) -> None:
    await stock(shop, 0)
    await checked(shop)
    async with shop.connection.transaction():
        await shop.connection.execute("DELETE FROM jewellery.product")
        assert await checked(shop, 1) == (0, 1, 0)
    assert await checked(shop, 2) == (0, 0, 0)
    assert await shop.count("stock_alert") == 0


def test_a_mail_lists_what_it_can_and_says_how_many_more_there_are() -> None:
    row = {"sku": "s", "name": "n", "available": 0, "threshold": 5, "state": "OUT"}
    data = letter([row] * (MOST_LISTED + 3))
    assert (len(data["items"]), data["more"], data["out"], data["low"]) == (MOST_LISTED, 3, MOST_LISTED + 3, 0)
