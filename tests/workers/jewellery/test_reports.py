"""Reports of the dashboard: sales of today so far and of days that are over, and what runs out."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from tests.workers.jewellery.shop import Shop
from tests.workers.reported import cells, reported
from workers.jewellery import reports
from workers.jewellery.daily_sales_summary import daily_sales_summary
from workers.jewellery.seed import seed
from workers.jewellery.settings import Settings
from workers.jewellery.stock_level_check import stock_level_check

SIX = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
"""18:00 in Asia/Kolkata."""
TODAY = date(2026, 11, 22)


async def test_today_is_so_far_and_yesterday_what_it_came_to(shop: Shop) -> None:
    hour = timedelta(hours=1)
    for id_, created, amount, currency in (
        ("a", SIX - hour, "499.50", "INR"), ("b", SIX + hour, "100", "INR"), ("c", SIX - 24 * hour, "12.345", "KWD"),
        ("d", SIX - 20 * hour, "4900", "JPY"),
    ):  # fmt: skip
        await shop.order(
            id_, items=[(None, "Ring", 1, amount)], created_at=created, status="DELIVERED", currency=currency
        )
    await shop.perform(daily_sales_summary, SIX)
    rows = await reported(shop.connection, "jewellery", reports.sales, TODAY - timedelta(days=3), TODAY)
    names = ("day", "currency", "final_total", "final_count", "so_far_total", "so_far_count")
    assert [cells(reports.sales, row, *names) for row in rows] == [
        ["2026-11-22", "INR", "", "", "499.50", "1"],
        ["2026-11-21", "JPY", "4900", "1", "", ""],
        ["2026-11-21", "KWD", "12.345", "1", "", ""],
    ]


async def test_what_runs_out_is_what_the_check_found(empty_shop: Shop) -> None:
    """On the sample shop, with some of it sold."""
    shop = empty_shop
    await seed(shop.connection, scale=0.05, cache=Path(), progress=lambda *_: None)
    await shop.connection.execute(
        "UPDATE jewellery.product p SET stock = CASE WHEN n <= 5 THEN 0 ELSE 2 END "
        "FROM (SELECT id, row_number() OVER (ORDER BY sku) AS n FROM jewellery.product) s WHERE s.id = p.id AND n <= 15"
    )
    now = await shop.value("SELECT sexton.clock()")
    await shop.perform(stock_level_check, now)
    found = await reported(shop.connection, "jewellery", reports.stock, TODAY, TODAY, Settings())
    kept = await shop.rows(
        "SELECT sku, lower(state) FROM jewellery.stock_alert s JOIN jewellery.product p ON p.id = s.product_id "
        "WHERE state <> 'OK' ORDER BY sku"
    )
    assert sorted((row["sku"], row["state"]) for row in found) == kept
    assert {row["state"] for row in found} == {"out", "low"}
    assert all(row["told_at"] is not None for row in found)
    assert all((row["left"] == 0) == (row["state"] == "out") for row in found)
