"""Tell the administrators of products that run low or are sold out: when they do, and once a day while they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from daemon import CatchUp, Context, Cron, Priority, Row, days, job, minutes, sql, tell_each
from workers.jewellery.cron_lines import cron_lines
from workers.jewellery.settings import Settings

JUDGE, FORGET = sql.load(__file__, "judge", "forget")

AGAIN_AFTER = timedelta(hours=24)
MOST_LISTED = 1_000


@job(
    Cron("0 * * * *", tz="Asia/Kolkata"), priority=Priority.MEDIUM, timeout=minutes(5), catch_up=CatchUp.LATEST,
    retention=days(30), aliases=("stock-level-check", "lastStockCheck/stockAlerts"),
)  # fmt: skip
async def stock_level_check(ctx: Context) -> None:
    """Tell the administrators of products that run low or are sold out."""
    settings: Settings = ctx.settings
    with cron_lines(ctx, "stockLevelCheck", "check stock levels") as say:
        async with ctx.completing() as tx:
            await tx.execute(FORGET)
            # Judged by the due instant, so that an hourly run that starts a little earlier is not an hour late.
            low = await tx.fetch(
                JUDGE, ctx.now(), settings.low_stock_threshold, ctx.due_at, ctx.due_at - AGAIN_AFTER
            )  # fmt: skip
            news = [row for row in low if row["alert"]]
            if news:
                key = f"jewellery:low:{ctx.due_at:%Y-%m-%dT%H}:{ctx.run_id}"
                await tell_each(tx, settings.administrators, "stock_alert", key=key, data=letter(news), kind="alert")
            mailed = len(news) if settings.administrators else 0
            counts = {"low": count(low, "LOW"), "out": count(low, "OUT"), "mailed": mailed}
            tx.result(counts)
        if news:
            say(f"{len(news)} products are low or sold out")


def count(rows: Sequence[Row], state: str) -> int:
    return sum(row["state"] == state for row in rows)


def letter(news: Sequence[Row]) -> dict[str, Any]:
    """What the mail is made of. `more`: products beyond those that a mail can list."""
    items = [{name: row[name] for name in ("sku", "name", "available", "threshold", "state")} for row in news]
    return {
        "type": "LOW_STOCK_ALERT", "items": items[:MOST_LISTED], "more": max(len(items) - MOST_LISTED, 0),
        "low": count(news, "LOW"), "out": count(news, "OUT"),
    }  # fmt: skip
