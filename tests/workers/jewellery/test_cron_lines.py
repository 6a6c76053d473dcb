"""The format of the shop's earlier scripts, for what reads their logs."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest

from tests.workers.jewellery.shop import NOW, Shop
from workers.jewellery.cleanup_expired_locks import cleanup_expired_locks
from workers.jewellery.cron_lines import line

CRON = {"cron_lines": True}


def test_a_line_is_instant_task_status_and_message() -> None:
    at = datetime(2026, 11, 22, 6, 30, 0, 123456, tzinfo=UTC)
    assert line(at, "task", "error", "a\nb") == "[2026-11-22T06:30:00.123Z] [task] error: a b"


async def test_start_and_end_have_their_lines_where_they_are_wanted(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    await shop.insert("inventory_lock", product_id="ring", quantity=1, expires_at=NOW - timedelta(seconds=1))
    with caplog.at_level(logging.INFO, "sexton.job"):
        run = await shop.perform(cleanup_expired_locks, settings=CRON)
        await shop.perform(cleanup_expired_locks)
    stamp = "[2026-11-22T06:30:00.000Z] [cleanupExpiredLocks]"
    assert caplog.messages == [
        f"{stamp} started: [Cron] run {run.id}, try 1",
        f"{stamp} success: [Cron] Cleaned up 1 expired inventory locks",
        f"{stamp} finished: [Cron] run {run.id}, try 1",
    ]


async def test_a_failure_has_its_line_and_fails_the_run(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    await shop.connection.execute("DROP TABLE jewellery.inventory_lock CASCADE")
    with caplog.at_level(logging.INFO, "sexton.job"):
        run = await shop.perform(cleanup_expired_locks, settings=CRON)
    assert run.ending == "failed"
    assert "error: [Cron Error] Failed to cleanup inventory locks: UndefinedTableError: " in caplog.messages[-1]
