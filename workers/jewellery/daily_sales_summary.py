"""What was sold today until now, and what yesterday came to in the end: rows of `daily_sales`, a mail with a chart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from daemon import (
    CatchUp,
    Context,
    Cron,
    Overlap,
    Priority,
    Row,
    Transaction,
    bar_charts,
    currency_places,
    days,
    job,
    minutes,
    sql,
    tell_each,
)
from workers.jewellery.cron_lines import cron_lines
from workers.jewellery.money import said
from workers.jewellery.settings import Settings

SALES, KEEP_PARTIAL, KEEP_FINAL, TREND = sql.load(__file__, "sales", "keep_partial", "keep_final", "trend")

TREND_DAYS = 14
MOST_CHARTS = 3


@job(
    Cron("0 18 * * *", tz="Asia/Kolkata"), priority=Priority.LOW, timeout=minutes(5), catch_up=CatchUp.EACH(31),
    overlap=Overlap.QUEUE, retention=days(366), aliases=("daily-sales-summary",),
)  # fmt: skip
async def daily_sales_summary(ctx: Context) -> None:
    """What was sold today until now, and what yesterday came to in the end."""
    settings: Settings = ctx.settings
    today = ctx.logical_date
    yesterday = today - timedelta(days=1)
    with cron_lines(ctx, "dailySalesSummary", "generate sales report") as say:
        async with ctx.completing() as tx:
            counted = (list(settings.revenue_statuses), settings.sales_currency)
            partial = await tx.fetch(SALES, today, ctx.due_at, *counted)
            await tx.execute(KEEP_PARTIAL, today, *columns(partial), ctx.due_at)
            final = await tx.fetch(SALES, yesterday, None, *counted)
            await tx.execute(KEEP_FINAL, yesterday, *columns(final), ctx.now())
            words, images = await pictures(tx, yesterday)
            data = letter(today, ctx.due_at, partial, final) | {"charts": words, "images": images}
            mailed = await tell_each(
                tx, settings.administrators, "daily_sales", key=f"jewellery:daily_sales:{today}", data=data,
                kind="transactional",
            )  # fmt: skip
            tx.result(
                {"day": today, "partial": figures(partial), "final_of": yesterday, "final": figures(final),
                 "mailed": mailed}
            )  # fmt: skip
        say(f"Daily sales of {today}: {'; '.join(line['text'] for line in data['today'])}")


def columns(rows: Sequence[Row]) -> tuple[list[str], list[Decimal], list[int]]:
    return [row["currency"] for row in rows], [row["total"] for row in rows], [row["orders"] for row in rows]


def figures(rows: Sequence[Row]) -> list[dict[str, Any]]:
    return [
        {"currency": row["currency"], "total": in_coins(row["total"], row["currency"]), "count": row["orders"]}
        for row in rows
    ]


def letter(today: date, cutoff: datetime, partial: Sequence[Row], final: Sequence[Row]) -> dict[str, Any]:
    """`date` is written as the shop's earlier reports wrote it: `Sun Nov 22 2026`."""
    return {
        "date": f"{today:%a %b %d %Y}", "cutoff": f"{cutoff:%H:%M}", "today": [in_words(row) for row in partial],
        "yesterday": f"{today - timedelta(days=1):%a %b %d %Y}", "final": [in_words(row) for row in final],
    }  # fmt: skip


def in_words(row: Row) -> dict[str, str]:
    count = row["orders"]
    total = said(row["total"], row["currency"])
    return {"total": total, "orders": f"{count:,}", "text": f"{total}, {count:,} order{'' if count == 1 else 's'}"}


async def pictures(tx: Transaction, until: date) -> tuple[list[dict[str, str]], dict[str, str]]:
    """A chart a currency, of the final totals of two weeks; those that most was sold in first."""
    days_shown = [until - timedelta(days=back) for back in reversed(range(TREND_DAYS))]
    totals: dict[str, dict[date, Decimal]] = {}
    for row in await tx.fetch(TREND, days_shown[0], until, MOST_CHARTS):
        totals.setdefault(row["currency"], {})[row["day"]] = row["final_total"]
    return bar_charts(
        {
            f"Sales in {currency}, {TREND_DAYS} days": [
                in_coins(of.get(day, Decimal(0)), currency) for day in days_shown
            ]
            for currency, of in totals.items()
        }
    )


def in_coins(amount: Decimal, currency: str) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-currency_places(currency)), ROUND_HALF_UP)
