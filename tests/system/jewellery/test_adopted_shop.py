"""A daemon over a shop's own tables, as a role that may do what docs/adopting.md grants and nothing else."""

from __future__ import annotations

import asyncpg
import pytest

from tests.system.daemons import REQUEST
from tests.system.jewellery.stage import ShopStage, due_by_the_clock
from tests.system.waiting import row
from tests.workers.jewellery.adopted import adopted

FILL = """
INSERT INTO shop."User" ("id", "email", "isVerified") VALUES ('u1', 'asha@example.org', true);
INSERT INTO shop."Product" ("id", "sku", "name", "stockQuantity") VALUES ('r1', 'S1', 'Ring', 3);
INSERT INTO shop."Order" ("id", "orderNumber", "userId", "totalAmount") VALUES
    ('o1', 'ORA-1', 'u1', 499.50), ('o2', 'ORA-2', 'u1', 499.50);
INSERT INTO shop."OrderItem" SELECT 'i' || id, id, 'r1', 'Ring', 1, 499.50 FROM shop."Order";
INSERT INTO shop."inventoryLock" VALUES
    ('l1', 'r1', 'o1', 1, (now() AT TIME ZONE 'UTC') + interval '1 day'), ('l2', 'r1', NULL, 1, '2020-01-01');
INSERT INTO shop."PasswordReset" ("token", "userId", "expiresAt") VALUES ('t1', 'u1', '2020-01-01');
INSERT INTO shop."Notification" ("id", "userId", "type", "title", "message", "isRead", "createdAt") VALUES
    ('n1', 'u1', 'T', 't', 'm', true, '2020-01-01');
INSERT INTO shop."Payment" ("id", "orderId", "razorpayOrderId", "amount", "createdAt") VALUES
    ('p1', 'o1', 'order_p1', 499.50, now() AT TIME ZONE 'UTC'),
    ('p2', 'o2', 'order_p2', 499.50, (now() AT TIME ZONE 'UTC') - interval '1 hour');
"""
ENDED = """SELECT count(DISTINCT job) = $1 FROM sexton.run
    WHERE trigger = 'manual' AND state NOT IN ('ready', 'running')"""
STATES = """SELECT array_agg(o."status"::text || ' ' || p."status" ORDER BY o."id") = $1::text[]
    FROM shop."Order" o JOIN shop."Payment" p ON p."orderId" = o."id" """

TOLD = "SELECT EXISTS (SELECT FROM shop.\"Notification\" WHERE type = 'ORDER_SHIPPED')"


async def everything_due(connection: asyncpg.Connection) -> None:
    """Each job that is due by the clock is asked for, and ends."""
    due = due_by_the_clock()
    for name in due:
        await connection.fetch(REQUEST, name, "{}", 1)
    await connection.execute("SELECT pg_notify('sexton', 'ready')")
    await row(connection, ENDED, len(due))


@pytest.mark.timeout(300)
async def test_a_daemon_with_the_privileges_of_the_documentation_does_all_of_the_suites_work(
    shop_stage: ShopStage,
) -> None:
    stage = shop_stage
    async with adopted(stage.place.url) as shop:
        await shop.connection.execute(FILL)
        stage.razorpay.tells("pay_p2", "order_p2")
        theirs = {"SEXTON_DATABASE__URL": shop.url, "SEXTON_SUITE__JEWELLERY__ADMINISTRATORS": "ada@example.org"}
        check = await stage.command("adopt", "jewellery", "--check", **theirs)
        assert await check.ended() == 0, check.log()
        node = await stage.daemon(**theirs)

        assert await stage.deliver("p1") == 200
        await row(shop.connection, "SELECT status = 'SUCCESS' FROM shop.\"Payment\" WHERE id = 'p1'")
        await everything_due(shop.connection)
        await shop.connection.execute("UPDATE shop.\"Order\" SET status = 'SHIPPED' WHERE id = 'o1'")
        await row(shop.connection, STATES, ["SHIPPED SUCCESS", "CONFIRMED SUCCESS"])
        await row(shop.connection, TOLD)
        await stage.mailed(shop.connection)
        assert await node.stop() == 0

        assert await shop.rows("SELECT job, error FROM sexton.run WHERE state <> 'succeeded'") == []
        assert await shop.rows('SELECT type, count(*) FROM shop."Notification" GROUP BY 1 ORDER BY 1') == [
            ("ORDER_CONFIRMED", 2), ("ORDER_PLACED", 2), ("ORDER_SHIPPED", 1),
        ]  # fmt: skip
        left = 'SELECT (SELECT count(*) FROM shop."inventoryLock"), (SELECT count(*) FROM shop."PasswordReset")'
        assert await shop.rows(left) == [(0, 0)]
        assert await shop.value('SELECT "stockQuantity" FROM shop."Product"') == 1
    assert not [line for line in node.lines if "permission denied" in str(line)]
    subjects = {mail["Subject"].partition(" - ORA-")[0] for mail in stage.mails.received}
    assert subjects >= {"Order Confirmation", "Order Shipped"}
