"""Today until now and yesterday to its end: what counts, which day it is of, and what the mail says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from daemon import Cron, Job
from tests.workers.jewellery.shop import Shop
from tests.workers.suite_under_test import ADMINISTRATORS
from workers.jewellery.daily_sales_summary import daily_sales_summary

SIX = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
"""18:00 in Asia/Kolkata."""
MIDNIGHT = datetime(2026, 11, 21, 18, 30, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)


async def summed(shop: Shop, at: datetime = SIX, job: Job = daily_sales_summary, **settings: Any) -> dict[str, Any]:
    run = await shop.perform(job, at, settings=settings)
    assert run.error is None
    found: dict[str, Any] = run.result
    return found


async def sold(shop: Shop, *orders: tuple[datetime, str, str]) -> None:
    """Orders by instant, state and amount."""
    for at, status, amount in orders:
        id_ = f"o{await shop.count('orders')}"
        await shop.order(id_, items=[(None, "Ring", 1, amount)], created_at=at, status=status)


def line(total: str, count: int, currency: str = "INR") -> dict[str, Any]:
    return {"currency": currency, "total": Decimal(total), "count": count}


async def test_a_day_without_orders_is_zero_and_no_error(empty_shop: Shop) -> None:
    result = await summed(empty_shop)
    assert (result["partial"], result["final"]) == ([line("0", 0)], [line("0", 0)])
    _, text, html = empty_shop.made("daily_sales", (await empty_shop.mails())[0][2])
    assert "INR 0.00, 0 orders" in text
    assert html is not None
    assert "<img" not in html


async def test_today_is_from_midnight_to_six_and_yesterday_is_whole(shop: Shop) -> None:
    await sold(
        shop, (MIDNIGHT, "PROCESSING", "100.10"), (SIX - INSTANT, "SHIPPED", "200"), (SIX, "DELIVERED", "400"),
        (MIDNIGHT - INSTANT, "DELIVERED", "800"), (MIDNIGHT - timedelta(days=1), "SHIPPED", "1600"),
        (MIDNIGHT - timedelta(days=1) - INSTANT, "SHIPPED", "3200"), (MIDNIGHT, "CONFIRMED", "6400"),
        (MIDNIGHT, "CANCELLED", "6400"), (MIDNIGHT, "PLACED", "6400"),
    )  # fmt: skip
    result = await summed(shop)
    assert (result["day"], result["final_of"]) == (date(2026, 11, 22), date(2026, 11, 21))
    assert result["partial"] == [line("300.100", 2)]
    assert result["final"] == [line("2400.000", 2)]
    assert await shop.rows("SELECT day::text, partial_count, final_count FROM jewellery.daily_sales ORDER BY day") == [
        ("2026-11-21", 0, 2), ("2026-11-22", 2, None),
    ]  # fmt: skip


async def test_what_came_after_six_is_in_the_next_days_report(shop: Shop) -> None:
    await sold(shop, (SIX, "PROCESSING", "50"))
    assert (await summed(shop))["partial"] == [line("0", 0)]
    result = await summed(shop, SIX + timedelta(days=1))
    assert result["final"] == [line("50.000", 1)]
    assert await shop.rows("SELECT final_total FROM jewellery.daily_sales WHERE day = '2026-11-22'") == [
        (Decimal("50.000"),)
    ]


async def test_states_that_count_are_the_shops_to_choose(shop: Shop) -> None:
    await sold(shop, (MIDNIGHT, "CONFIRMED", "50"), (MIDNIGHT, "SHIPPED", "7"))
    assert (await summed(shop, revenue_statuses=["CONFIRMED"]))["partial"] == [line("50.000", 1)]


async def test_currencies_are_not_added_up(shop: Shop) -> None:
    await sold(shop, (MIDNIGHT, "SHIPPED", "50"))
    await shop.order("k", items=[(None, "Ring", 1, "1.234")], created_at=MIDNIGHT, status="SHIPPED", currency="KWD")
    result = await summed(shop)
    assert result["partial"] == [line("50.000", 1), line("1.234", 1, "KWD")]
    assert [str(told["total"]) for told in result["partial"]] == ["50.00", "1.234"]
    _, text, _ = shop.made("daily_sales", (await shop.mails())[0][2])
    assert "  INR 50.00, 1 order\n  KWD 1.234, 1 order" in text


async def test_a_report_made_again_takes_back_what_is_no_more_and_mails_nobody_twice(shop: Shop) -> None:
    await sold(shop, (MIDNIGHT, "SHIPPED", "50"))
    await summed(shop)
    await shop.connection.execute("UPDATE jewellery.orders SET status = 'CANCELLED'; DELETE FROM sexton.run")
    result = await summed(shop)
    assert (result["partial"], result["mailed"]) == ([line("0", 0)], 0)
    assert await shop.rows("SELECT partial_total FROM jewellery.daily_sales WHERE day = '2026-11-22'") == [(0,)]


async def test_the_mail_has_the_subject_of_old_and_a_chart(shop: Shop) -> None:
    await sold(shop, (MIDNIGHT, "SHIPPED", "1234.5"), (MIDNIGHT - INSTANT, "SHIPPED", "99"))
    assert (await summed(shop))["mailed"] == len(ADMINISTRATORS)
    template, whom, data = (await shop.mails())[0]
    assert whom == ADMINISTRATORS[0]
    subject, text, html = shop.made(template, data)
    assert subject == "Daily Sales Report - Sun Nov 22 2026"
    assert text.splitlines() == [
        "Sales of Sun Nov 22 2026 until 18:00", "  INR 1,234.50, 1 order", "",
        "Sales of Sat Nov 21 2026, the whole day", "  INR 99.00, 1 order", "",
        "Sales in INR, 14 days: highest 99.00, lowest 0.00",
    ]  # fmt: skip
    assert html is not None
    assert 'alt="Sales in INR, 14 days: highest 99.00, lowest 0.00"' in html
    assert set(data["images"]) == {"chart1"}


@pytest.mark.parametrize(
    ("six", "midnight", "hours"),
    [
        (datetime(2026, 3, 9, 22, tzinfo=UTC), datetime(2026, 3, 8, 5, tzinfo=UTC), 23),
        (datetime(2026, 11, 2, 23, tzinfo=UTC), datetime(2026, 11, 1, 4, tzinfo=UTC), 25),
    ],
)
async def test_a_day_of_23_or_25_hours_is_counted_whole(
    shop: Shop, six: datetime, midnight: datetime, hours: int
) -> None:
    """A shop in New York, the evening after the night the clocks changed."""
    new_york = replace(daily_sales_summary, trigger=Cron("0 18 * * *", tz="America/New_York"))
    end = midnight + timedelta(hours=hours)
    await sold(
        shop, (midnight - INSTANT, "SHIPPED", "1"), (midnight, "SHIPPED", "10"), (end - INSTANT, "SHIPPED", "100"),
        (end, "SHIPPED", "1000"),
    )  # fmt: skip
    result = await summed(shop, six, new_york)
    assert (result["final"], result["partial"]) == ([line("110.000", 2)], [line("1000.000", 1)])
