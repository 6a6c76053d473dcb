"""Locks, tokens and notifications that are over go in batches; what somebody holds, or what is not over, stays."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import pytest

from daemon import Job
from tests.workers.jewellery.shop import NOW, Shop
from workers.jewellery.cleanup_expired_locks import cleanup_expired_locks
from workers.jewellery.notification_cleanup import notification_cleanup
from workers.jewellery.pace import AIM_S, FEWEST, FIRST, MOST, Pace
from workers.jewellery.password_reset_cleanup import password_reset_cleanup

INSTANT = timedelta(microseconds=1)
MONTH = timedelta(days=30)


async def deleted(shop: Shop, job: Job) -> int:
    run = await shop.perform(job)
    assert run.error is None
    assert set(run.result) == {"deleted"}
    return int(run.result["deleted"])


@pytest.mark.parametrize("job", [cleanup_expired_locks, password_reset_cleanup, notification_cleanup])
async def test_an_empty_shop_has_nothing_to_clean(empty_shop: Shop, job: Job) -> None:
    assert await deleted(empty_shop, job) == 0


async def test_a_lock_goes_when_its_instant_is_past_and_not_before(shop: Shop) -> None:
    for id_, at in (("past", NOW - INSTANT), ("now", NOW), ("later", NOW + INSTANT)):
        await shop.insert("inventory_lock", id=id_, product_id="ring", quantity=1, expires_at=at)
    assert await deleted(shop, cleanup_expired_locks) == 1
    assert await shop.rows("SELECT id FROM jewellery.inventory_lock ORDER BY id") == [("later",), ("now",)]


async def test_many_locks_of_one_instant_go_in_batches_and_those_in_use_stay(shop: Shop) -> None:
    await shop.connection.execute(
        "INSERT INTO jewellery.inventory_lock "
        "SELECT n::text, 'ring', NULL, 1, $1::timestamptz - (n / 2500) * interval '1 second' "
        "FROM generate_series(1, 5000) n", NOW - INSTANT,
    )  # fmt: skip
    async with shop.connection.transaction():
        await shop.connection.execute("SELECT FROM jewellery.inventory_lock WHERE id IN ('7', '4000') FOR UPDATE")
        assert await deleted(shop, cleanup_expired_locks) == 4998
        assert await shop.count("inventory_lock") == 2
    assert await deleted(shop, cleanup_expired_locks) == 2


async def test_a_checkout_goes_on_while_locks_are_deleted(shop: Shop) -> None:
    """It adds a lock of its own and sells in an open transaction: neither waits for the other."""
    await shop.insert("inventory_lock", product_id="ring", quantity=1, expires_at=NOW - INSTANT)
    async with shop.connection.transaction():
        await shop.connection.execute("UPDATE jewellery.product SET stock = stock - 1")
        await shop.insert("inventory_lock", product_id="ring", quantity=1, expires_at=NOW + MONTH)
        assert await deleted(shop, cleanup_expired_locks) == 1


async def test_a_product_that_is_deleted_meanwhile_takes_its_locks_along(shop: Shop) -> None:
    await shop.product("chain")
    for product in ("ring", "chain"):
        await shop.insert("inventory_lock", product_id=product, quantity=1, expires_at=NOW - INSTANT)
    async with shop.connection.transaction():
        await shop.connection.execute("DELETE FROM jewellery.product WHERE id = 'ring'")
        assert await deleted(shop, cleanup_expired_locks) == 1
    assert await shop.count("inventory_lock") == 0


async def test_a_retry_reports_what_the_first_try_deleted_too(shop: Shop) -> None:
    await shop.connection.execute(
        "INSERT INTO jewellery.inventory_lock "
        "SELECT n::text, 'ring', NULL, 1, $1::timestamptz - (2000 - n) * interval '1 second' "
        "FROM generate_series(1, 1500) n", NOW - INSTANT,
    )  # fmt: skip
    await shop.connection.execute(
        "CREATE FUNCTION jewellery.refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''stop''; END';"
        "CREATE TRIGGER refuse BEFORE DELETE ON jewellery.inventory_lock FOR EACH ROW "
        "WHEN (OLD.id = '1200') EXECUTE FUNCTION jewellery.refuse()"
    )
    first = await shop.perform(cleanup_expired_locks)
    assert (first.ending, first.error) == ("failed", "RaiseError: stop")
    left = await shop.count("inventory_lock")
    assert 300 < left <= 500  # the first thousand went, and as many batches as a busy machine makes of the next
    await shop.connection.execute("DROP TRIGGER refuse ON jewellery.inventory_lock")
    again = await shop.perform(cleanup_expired_locks, resume=first.id)
    assert again.result == {"deleted": 1500}
    assert await shop.count("run_tally") == 0


async def test_a_token_goes_when_it_has_expired(shop: Shop) -> None:
    for hash_, at in (("past", NOW - INSTANT), ("now", NOW)):
        await shop.insert("password_reset", token_hash=hash_, customer_id="c1", expires_at=at)
    assert await deleted(shop, password_reset_cleanup) == 1
    assert await shop.rows("SELECT token_hash FROM jewellery.password_reset") == [("now",)]


async def test_a_notification_goes_a_month_after_if_it_was_read(shop: Shop) -> None:
    for id_, read, at in (
        ("gone", True, NOW - MONTH - INSTANT), ("young", True, NOW - MONTH), ("unread", False, NOW - 9 * MONTH),
    ):  # fmt: skip
        await shop.insert(
            "notification", id=id_, customer_id="c1", type="T", title="<script>", message="a\nb", is_read=read,
            created_at=at,
        )  # fmt: skip
    assert await deleted(shop, notification_cleanup) == 1
    assert await shop.rows("SELECT id FROM jewellery.notification ORDER BY id") == [("unread",), ("young",)]


async def test_a_shop_may_keep_notifications_longer(shop: Shop) -> None:
    await shop.insert(
        "notification", customer_id="c1", type="T", title="t", message="m", is_read=True, created_at=NOW - 2 * MONTH
    )
    run = await shop.perform(notification_cleanup, settings={"notification_days": 90})
    assert run.result == {"deleted": 0}


def test_batches_grow_while_they_are_quick_and_shrink_when_they_are_slow() -> None:
    pace = Pace()
    assert pace.rows == FIRST
    for _ in range(9):
        pace = pace.after(AIM_S / 100)
    assert pace.rows == MOST
    assert pace.after(AIM_S * 4).rows == MOST // 4
    assert pace.after(0.0).rows == MOST
    for _ in range(9):
        pace = pace.after(60.0)
    assert pace.rows == FEWEST


async def test_it_is_told_in_the_ledger_as_the_shops_scripts_told_it(shop: Shop) -> None:
    await shop.insert("inventory_lock", product_id="ring", quantity=1, expires_at=NOW - INSTANT)
    await shop.perform(cleanup_expired_locks)
    await shop.connection.execute("DROP TABLE jewellery.password_reset")
    await shop.perform(password_reset_cleanup)
    told = await shop.rows("SELECT task_name, status, message FROM jewellery.cron_log ORDER BY id")
    assert told[0] == ("cleanup_expired_locks", "succeeded", '{"deleted": 1}')
    assert told[1][:2] == ("password_reset_cleanup", "ready")
    assert "password_reset" in told[1][2]
    assert (await shop.value("SELECT count(*) FROM jewellery.cron_log WHERE executed_at IS NULL")) == 0


async def test_nobody_edits_the_ledger_through_the_cron_log(shop: Shop) -> None:
    with pytest.raises(asyncpg.PostgresError, match="cannot delete from view"):
        await shop.connection.execute("DELETE FROM jewellery.cron_log")
