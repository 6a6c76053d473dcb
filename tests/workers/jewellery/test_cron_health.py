"""What the shop's monitor asks for at /api/health/cron: its own names, and counts that outlive a restart."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import httpx

from daemon import Cron, catalogue
from daemon.settings import Settings
from tests.daemon.admin.house import house
from tests.workers.jewellery.shop import NOW, Shop
from workers.jewellery.cleanup_expired_locks import cleanup_expired_locks
from workers.jewellery.stock_level_check import stock_level_check


def told(answer: httpx.Response) -> dict[str, object]:
    assert answer.is_success, answer.text
    found: dict[str, object] = answer.json()
    return found


async def test_the_monitor_finds_its_names_and_counts_that_outlive_a_restart(shop: Shop) -> None:
    loaded = catalogue.load(Settings(suites=("workers.jewellery",))).jobs.values()
    jobs = [replace(job, enabled=False) for job in loaded if isinstance(job.trigger, Cron)]
    for hours in range(3):
        await shop.perform(cleanup_expired_locks, NOW + timedelta(hours=hours))
    await shop.perform(stock_level_check)
    async with house(shop.url, *jobs) as first:
        before = told(await first.viewer.get("/api/health/cron"))
    async with house(shop.url, *jobs) as after_a_restart:
        after = told(await after_a_restart.viewer.get("/api/health/cron"))
    for health in (before, after):
        done = health["tasksCompleted"]
        assert isinstance(done, dict)
        counts = {name: done[name] for name in ("inventoryCleanup", "stockAlerts", "paymentRetries")}
        assert counts == {"inventoryCleanup": 3, "stockAlerts": 1, "paymentRetries": 0}
        assert isinstance(health["uptime"], float)
        assert all(isinstance(health[name], str) for name in ("lastCleanup", "lastStockCheck"))
        assert health["lastPaymentRetry"] is None
