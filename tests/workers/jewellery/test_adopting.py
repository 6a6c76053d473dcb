"""Every job of the suite over a shop's own tables, with a role that may do what the documentation grants."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import asyncpg
import pytest

from daemon import Job, catalogue, start_checks
from daemon.adoption import adoption_of
from daemon.adoption_checks import differences
from daemon.settings import Settings
from tests.workers.jewellery.adopted import SUITE, adopted
from tests.workers.jewellery.provider import entity, event, provider
from tests.workers.jewellery.shop import NOW, Shop
from tests.workers.jewellery.test_payment_captured import comes
from tests.workers.suite_under_test import ADMINISTRATORS

NEEDED = adoption_of("jewellery", SUITE["jewellery"])
FILL = """
INSERT INTO shop."User" ("id", "email", "name", "isVerified", "createdAt") VALUES
    ('u1', 'asha@example.org', 'Asha', true, '2026-01-01'), ('u2', 'old@example.org', NULL, false, '2026-01-01'),
    ('u3', 'new@example.org', NULL, false, '2026-11-20'), ('u4', 'critic@example.org', NULL, false, '2026-01-01');
INSERT INTO shop."Review" VALUES ('r1', 'u4', 'Shiny');
INSERT INTO shop."Product" ("id", "sku", "name", "stockQuantity") VALUES ('p1', 'S1', 'Ring', 7);
INSERT INTO shop."Order" ("id", "orderNumber", "userId", "status", "totalAmount", "createdAt") VALUES
    ('o1', 'ORA-1', 'u1', 'PENDING', 999.00, '2026-11-22 05:00'),
    ('o2', 'ORA-2', 'u1', 'PENDING', 500, '2026-11-22 05:00'),
    ('o3', 'ORA-3', 'u1', 'DELIVERED', 700, '2026-11-21 05:00'),
    ('o4', 'ORA-4', 'u1', 'SHIPPED', 80, '2026-11-22 05:00');
INSERT INTO shop."OrderItem" VALUES ('i1', 'o1', 'p1', 'Ring', 2, 499.50), ('i2', 'o2', 'p1', 'Ring', 1, 500);
INSERT INTO shop."inventoryLock" VALUES
    ('l1', 'p1', 'o1', 2, '2026-12-22'), ('l2', 'p1', NULL, 1, '2026-11-22 06:29:59'),
    ('l3', 'p1', NULL, 1, '2026-12-22');
INSERT INTO shop."Payment" ("id", "orderId", "razorpayOrderId", "amount", "createdAt") VALUES
    ('pay1', 'o1', 'order_1', 999, '2026-11-22 05:00'), ('pay2', 'o2', 'order_2', 500, '2026-11-22 05:00'),
    ('pay3', 'o4', 'order_3', 80, '2026-11-22 06:29');
INSERT INTO shop."Notification" ("id", "userId", "type", "title", "message", "isRead", "createdAt") VALUES
    ('n1', 'u1', 'T', 't', 'm', true, '2026-01-01'), ('n2', 'u1', 'T', 't', 'm', false, '2026-01-01');
INSERT INTO shop."PasswordReset" ("token", "userId", "expiresAt") VALUES
    ('t1', 'u1', '2026-11-22 06:29:59'), ('t2', 'u1', '2026-11-22 06:30:01');
"""


@pytest.fixture
async def theirs(server: str) -> AsyncIterator[Shop]:
    async with adopted(server) as shop:
        yield shop


def jobs() -> Mapping[str, Job]:
    loaded = catalogue.load(Settings(suites=("workers.jewellery",)))
    return {name.partition(".")[2]: job for name, job in loaded.jobs.items()}


async def test_every_job_works_on_the_shops_own_tables(theirs: Shop) -> None:
    await theirs.connection.execute(FILL)
    async with provider() as razorpay:
        razorpay.tells("pay_1", "order_1", amount=99900)
        settings = {"razorpay": razorpay.settings()}
        first = ("order_status_changed", "webhook_timeout_handler", "payment_captured")
        done = [*first, *(name for name in jobs() if name not in first)]
        args = {"payment_review": {"payment": "pay3", "decision": "accept"}}
        await comes(theirs, event("payment.failed", entity("pay_2", "order_2", "failed", 50000)))
        await comes(theirs, event("payment.captured", entity("pay_3", "order_3", amount=7900)))
        runs = {name: await theirs.perform(jobs()[name], settings=settings, args=args.get(name)) for name in done}

    assert {name: run.error for name, run in runs.items()} == dict.fromkeys(done)
    said = {name: run.result for name, run in runs.items()}
    assert said["order_status_changed"] == {"changes": 4, "failed": 0, "dead": 0, "told": 4}
    assert said["webhook_timeout_handler"]["recovered"] == 1
    assert said["payment_captured"] == {"events": 2, "failed": 1, "review": 1}
    assert said["payment_review"]["is"] == "CAPTURED"
    assert (
        said["cleanup_expired_locks"]
        == said["password_reset_cleanup"]
        == said["notification_cleanup"]
        == {"deleted": 1}
    )
    assert said["unverified_user_cleanup"] == {"deleted": 1, "kept_with_orders": 0, "kept_referenced": 1}
    assert said["stock_level_check"] == {"low": 1, "out": 0, "mailed": 1}
    assert [line["total"] for day in ("partial", "final") for line in said["daily_sales_summary"][day]] == [80, 700]
    await assert_the_shop_is_as_it_should_be(theirs)


async def assert_the_shop_is_as_it_should_be(shop: Shop) -> None:
    assert await shop.rows('SELECT id, status::text, "transactionId" FROM shop."Payment" ORDER BY 1') == [
        ("pay1", "SUCCESS", "pay_1"), ("pay2", "FAILED", "pay_2"), ("pay3", "SUCCESS", "pay_3"),
    ]  # fmt: skip
    assert await shop.rows('SELECT id, status::text FROM shop."Order" WHERE id < \'o3\' ORDER BY 1') == [
        ("o1", "CONFIRMED"), ("o2", "PENDING"),
    ]  # fmt: skip
    assert await shop.value('SELECT "stockQuantity" FROM shop."Product"') == 5
    assert await shop.rows('SELECT id FROM shop."inventoryLock"') == [("l3",)]
    assert await shop.rows('SELECT id FROM shop."User" ORDER BY 1') == [("u1",), ("u3",), ("u4",)]
    assert await shop.rows('SELECT token FROM shop."PasswordReset"') == [("t2",)]
    told = await shop.rows('SELECT type, "createdAt" FROM shop."Notification" WHERE id <> \'n2\' ORDER BY 1')
    assert [type_ for type_, _ in told] == [
        "ORDER_CONFIRMED", "ORDER_DELIVERED", "ORDER_PLACED", "ORDER_PLACED", "ORDER_SHIPPED", "PAYMENT_FAILED",
    ]  # fmt: skip
    assert {at for _, at in told} == {NOW.replace(tzinfo=None)}
    assert {whom for template, whom, _ in await shop.mails() if template == "order_notice"} == {"u1"}
    assert {whom for template, whom, _ in await shop.mails() if template == "stock_alert"} == set(ADMINISTRATORS)


async def test_the_role_may_do_nothing_else_to_the_shop(theirs: Shop) -> None:
    await theirs.connection.execute(FILL)
    daemon = await asyncpg.connect(theirs.url)
    try:
        for statement in (
            'SELECT "passwordHash" FROM shop."User"', 'DELETE FROM shop."Order"', 'DELETE FROM shop."Payment"',
            'UPDATE shop."Payment" SET amount = 1', 'UPDATE shop."Order" SET "totalAmount" = 1',
            'UPDATE shop."User" SET email = \'x\'', 'INSERT INTO shop."Order" DEFAULT VALUES', "CREATE TABLE shop.t ()",
        ):  # fmt: skip
            with pytest.raises(asyncpg.PostgresError, match=r"permission denied|does not exist"):
                await daemon.execute(statement)
    finally:
        await daemon.close()


WRONG = {
    'DROP VIEW jewellery.sexton_recipient': "jewellery.sexton_recipient is not there: create a view of that name",
    'DROP TRIGGER put ON jewellery.orders': (
        "jewellery.orders cannot update status, which the view computes: create a trigger INSTEAD OF UPDATE ON "
        "jewellery.orders"
    ),
    'DROP TRIGGER put ON jewellery.notification': (
        "jewellery.notification cannot insert created_at, which the view computes: create a trigger INSTEAD OF INSERT "
        "ON jewellery.notification"
    ),
    'DROP TRIGGER note_order_status ON shop."Order"': "no trigger calls jewellery.note_order_status on update: ",
    'REVOKE DELETE ON shop."User" FROM {role}': (
        '{role} may not DELETE on shop."User": GRANT DELETE ON shop."User" TO {role}'
    ),
    'REVOKE SELECT (phone, "createdAt") ON shop."User" FROM {role}': (
        '{role} may not SELECT on shop."User": GRANT SELECT (phone, "createdAt") ON shop."User" TO {role}'
    ),
    'REVOKE INSERT ON shop."Notification" FROM {role}': (
        '{role} may not INSERT on shop."Notification": GRANT INSERT ON shop."Notification" TO {role}'
    ),
    'REVOKE UPDATE ("stockQuantity") ON shop."Product" FROM {role}': (
        '{role} may not UPDATE on shop."Product": GRANT UPDATE ON shop."Product" TO {role}'
    ),
    'CREATE OR REPLACE VIEW jewellery.product AS SELECT id, sku, name, 1 AS stock, 1 AS low_stock_threshold '
    'FROM shop."Product"': (
        "jewellery.product cannot update stock, which the view computes"
    ),
    'ALTER VIEW jewellery.order_item RENAME name TO title': (
        "jewellery.order_item has no column name: add it to the view, as text, null if the shop has no such thing"
    ),
    'DROP VIEW jewellery.inventory_lock; CREATE VIEW jewellery.inventory_lock AS SELECT id, "productId" AS product_id, '
    '"orderId" AS order_id, quantity, "expiresAt" AS expires_at FROM shop."inventoryLock"': (
        "jewellery.inventory_lock.expires_at is timestamp without time zone, and has to be timestamptz: let the view "
        "say `expires_at AT TIME ZONE 'UTC' AS expires_at`"
    ),
    'DROP VIEW jewellery.inventory_lock; CREATE VIEW jewellery.inventory_lock AS SELECT min(id) AS id, "productId" AS '
    'product_id, NULL::text AS order_id, 1 AS quantity, now() AS expires_at FROM shop."inventoryLock" GROUP BY 2': (
        "jewellery.inventory_lock cannot delete: create a trigger INSTEAD OF DELETE ON jewellery.inventory_lock"
    ),
    "CREATE OR REPLACE VIEW jewellery.orders AS SELECT id, \"orderNumber\" AS order_number, \"userId\" AS customer_id, "
    "status::text AS status, \"totalAmount\" AS total_amount, 'INR'::text AS currency, \"trackingNumber\" AS "
    "tracking_number, \"createdAt\" AT TIME ZONE 'UTC' AS created_at FROM shop.\"Order\"": (
        "jewellery.orders.status has PENDING, and the suite knows only PLACED, CONFIRMED,"
    ),
    'ALTER TABLE shop."PasswordReset" DROP CONSTRAINT "PasswordReset_token_key"; '
    'UPDATE shop."PasswordReset" SET token = 0': (
        "jewellery.password_reset.token_hash = 0 stands there more than once or is empty: it has to name one row"
    ),
    "ALTER TABLE jewellery.provider_pause DROP COLUMN refusals": (
        'webhook_timeout_handler.sql:pause does not fit these relations: column "refusals" of relation '
        '"provider_pause" does not exist'
    ),
}  # fmt: skip
"""What an operator does wrong, and what is said of it: one thing and its remedy."""


async def test_each_difference_is_named_with_its_remedy_and_nothing_is_changed(theirs: Shop) -> None:
    await theirs.connection.execute(FILL)
    role = await theirs.value("SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'jewellery'")

    async def found(mistake: str) -> list[str]:
        begun = theirs.connection.transaction()
        await begun.start()
        try:
            await theirs.connection.execute(mistake.replace("{role}", role))
            await theirs.connection.execute(f"ALTER VIEW jewellery.inventory_lock OWNER TO {role}")
            await theirs.connection.execute(f"SET LOCAL ROLE {role}")
            return await differences(theirs.connection, NEEDED)
        finally:
            await begun.rollback()

    assert await found("SELECT 1") == []
    for mistake, sentence in WRONG.items():
        said = await found(mistake)
        assert said, mistake
        assert said[0].startswith(sentence.replace("{role}", role)), (mistake, said)
        assert len(said) == 1, said


async def test_tables_of_the_suites_own_need_nothing(connection: asyncpg.Connection) -> None:
    assert await differences(connection, NEEDED) == []
    assert await start_checks.problems(connection, SUITE) == []


async def test_a_view_that_a_later_release_does_not_fit_stops_the_start(connection: asyncpg.Connection) -> None:
    await connection.execute("ALTER TABLE jewellery.product RENAME low_stock_threshold TO reorder_at")
    [problem] = await start_checks.problems(connection, SUITE)
    assert problem.startswith("jewellery: jewellery.product has no column low_stock_threshold: add it to the view, as")
