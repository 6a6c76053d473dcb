"""Customers are told of their orders once for each state, whoever changed it."""

from __future__ import annotations

import asyncio
import json
import re

import asyncpg
import pytest

from tests.workers.jewellery.shop import NOW, Shop
from workers.jewellery.order_status_changed import order_status_changed

SET = "UPDATE jewellery.orders SET status = $1 WHERE id = 'o1'"
STATES = ("PLACED", "CONFIRMED", "PROCESSING", "SHIPPED", "DELIVERED", "RETURN_APPROVED", "CANCELLED")
TYPES = (
    "ORDER_CANCELLED", "ORDER_CONFIRMED", "ORDER_DELIVERED", "ORDER_PLACED", "ORDER_SHIPPED", "RETURN_APPROVED",
)  # fmt: skip


async def through_all_states(shop: Shop) -> None:
    await shop.order()
    for state in STATES[1:]:
        await shop.connection.execute(SET, state)


async def test_the_shops_own_sql_tells_the_customer_of_all_six_states(shop: Shop) -> None:
    await through_all_states(shop)

    run = await shop.perform(order_status_changed)

    assert run.error is None
    assert run.result == {"changes": 7, "failed": 0, "dead": 0, "told": 6}
    assert await shop.rows("SELECT DISTINCT status, source FROM jewellery.order_status_history ORDER BY 1") == [
        (state, "shop") for state in sorted(STATES)
    ]
    assert await shop.rows("SELECT type FROM jewellery.notification ORDER BY 1") == [(type_,) for type_ in TYPES]
    mails = await shop.mails()
    assert [template for template, _, _ in mails] == ["order_confirmation"] + ["order_notice"] * 5
    assert {whom for _, whom, _ in mails} == {"c1"}


async def test_nobody_is_told_twice_of_a_state_that_comes_back(shop: Shop) -> None:
    await through_all_states(shop)
    await shop.perform(order_status_changed)

    await shop.connection.execute(SET, "SHIPPED")
    await shop.connection.execute(SET, "DELIVERED")
    again = await shop.perform(order_status_changed)

    assert again.result is None
    assert (await shop.count("notification"), await shop.count("order_status_history"), len(await shop.mails())) == (
        6, 7, 6,
    )  # fmt: skip


async def test_what_the_shop_rolls_back_is_told_to_nobody(shop: Shop) -> None:
    await shop.order()
    await shop.perform(order_status_changed)
    begun = shop.connection.transaction()
    await begun.start()
    await shop.connection.execute(SET, "SHIPPED")
    await begun.rollback()
    assert await shop.count("order_status_queue") == 0


async def test_a_change_of_something_else_leaves_nothing_in_the_queue(shop: Shop) -> None:
    await shop.order()
    await shop.perform(order_status_changed)
    await shop.connection.execute("UPDATE jewellery.orders SET status = status, tracking_number = 'AWB 1'")
    assert await shop.count("order_status_queue") == 0


async def test_a_role_that_can_write_orders_needs_no_right_on_the_suites_own_tables(shop: Shop) -> None:
    await shop.order()
    role = f"shop_{(await shop.value('SELECT current_database()'))}"
    await shop.connection.execute(
        f"CREATE ROLE {role}; GRANT USAGE ON SCHEMA jewellery TO {role}; "
        f"GRANT SELECT, UPDATE ON jewellery.orders TO {role}; SET ROLE {role}"
    )
    try:
        await shop.connection.execute(SET, "SHIPPED")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await shop.connection.execute("SELECT FROM jewellery.order_status_queue")
    finally:
        await shop.connection.execute(f"RESET ROLE; DROP OWNED BY {role}; DROP ROLE {role}")
    assert await shop.rows("SELECT status FROM jewellery.order_status_queue ORDER BY change_no") == [
        ("PLACED",), ("SHIPPED",),
    ]  # fmt: skip


async def test_the_change_wakes_the_daemon_when_it_is_committed(shop: Shop) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    await shop.connection.add_listener("sexton", lambda *said: heard.put_nowait(said[-1]))
    async with shop.connection.transaction():
        await shop.order()
    async with asyncio.timeout(60):
        assert await heard.get() == "queue:jewellery.order_status_queue"
    await shop.connection.remove_listener("sexton", heard.put_nowait)


async def test_the_mail_of_a_confirmation_has_number_total_delivery_and_items(shop: Shop) -> None:
    await shop.order(items=[("ring", "Ring", 2, "600.25"), (None, "Chain, 18 ct", 1, "99")])
    await shop.connection.execute("UPDATE jewellery.order_status_queue SET changed_at = $1", NOW)
    await shop.connection.execute(SET, "CONFIRMED")
    await shop.connection.execute("UPDATE jewellery.order_status_queue SET changed_at = $1", NOW)
    await shop.perform(order_status_changed, settings={"delivery_days": 5})

    subject, text, html = shop.made("order_confirmation", (await shop.mails())[0][2])

    assert subject == "Order Confirmation - ORA-o1"
    assert text.splitlines() == [
        "Your payment has been received and order is being prepared.", "", "Order ORA-o1",
        "  1 × Chain, 18 ct: INR 99.00", "  2 × Ring: INR 1,200.50", "Total: INR 1,299.50",
        "Estimated delivery: Friday, 27 November 2026",
    ]  # fmt: skip
    assert html is not None
    assert re.findall(r"<bdi>(.*?)</bdi>", html) == ["Chain, 18 ct", "Ring"]


async def test_markup_and_line_ends_in_names_stay_text(shop: Shop) -> None:
    name = "<script>alert(1)</script>\nBcc: all@example.org"
    await shop.order(order_number="A\nBcc: x", items=[("ring", name, 1, "1")])
    await shop.connection.execute(SET, "CONFIRMED")
    await shop.perform(order_status_changed)

    subject, text, html = shop.made("order_confirmation", (await shop.mails())[0][2])

    assert "\n" not in subject
    assert "  1 × <script>alert(1)</script> Bcc: all@example.org: INR 1.00" in text.splitlines()
    assert html is not None
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)" in html


async def test_a_shipment_is_told_with_its_tracking_number(shop: Shop) -> None:
    await shop.order(tracking_number="AWB 42")
    await shop.connection.execute(SET, "SHIPPED")
    await shop.perform(order_status_changed)
    [(message, metadata)] = await shop.rows(
        "SELECT message, metadata FROM jewellery.notification WHERE type = 'ORDER_SHIPPED'"
    )
    assert message == "Your order is on the way. Tracking: AWB 42"
    assert json.loads(metadata) == {"orderId": "o1", "orderNumber": "ORA-o1"}


async def test_an_order_that_is_deleted_before_its_turn_is_told_to_nobody(shop: Shop) -> None:
    await shop.order()
    await shop.order("o2")
    await shop.connection.execute("DELETE FROM jewellery.orders WHERE id = 'o1'")
    run = await shop.perform(order_status_changed)
    assert run.result == {"changes": 2, "failed": 0, "dead": 0, "told": 1}
    assert await shop.rows("SELECT order_id FROM jewellery.order_status_history") == [("o2",)]


async def test_a_mail_that_was_sent_and_purged_is_not_made_again(shop: Shop) -> None:
    await shop.order()
    await shop.connection.execute(
        "INSERT INTO sexton.outbox_key (hash) VALUES (sha256(convert_to('jewellery:order:o1:PLACED', 'UTF8')))"
    )
    await shop.perform(order_status_changed)
    assert await shop.mails() == []
    assert await shop.count("notification") == 1


async def test_what_happened_to_other_orders_costs_an_order_nothing(shop: Shop) -> None:
    """A plan lasts as long as its connection: this one is made while the history is known to be empty."""
    await shop.connection.execute("VACUUM ANALYZE jewellery.order_status_history")
    await shop.order()
    await shop.connection.execute(SET, "CONFIRMED")
    await shop.connection.execute(
        "INSERT INTO jewellery.order_status_history"
        " SELECT n::text, 'PLACED', $1, 'shop' FROM generate_series(1, 200) n",
        NOW,
    )
    async with shop.connection.transaction():
        await shop.connection.execute(SET, "SHIPPED")
        read = await shop.connection.fetchval(
            "SELECT seq_tup_read FROM pg_stat_xact_user_tables WHERE relid = 'jewellery.order_status_history'::regclass"
        )
    assert read == 0


async def test_a_mail_that_is_still_there_is_not_made_again_where_the_history_was_lost(shop: Shop) -> None:
    await shop.order()
    await shop.perform(order_status_changed)
    await shop.connection.execute("DELETE FROM jewellery.order_status_history")
    await shop.insert("order_status_queue", order_id="o1", status="PLACED")
    again = await shop.perform(order_status_changed)
    assert again.result == {"changes": 1, "failed": 0, "dead": 0, "told": 1}
    assert len(await shop.mails()) == 1
