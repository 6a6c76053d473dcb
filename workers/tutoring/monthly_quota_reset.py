"""Close the quota periods of the month that is over and open those of the one that begins."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from daemon import CatchUp, Context, Cron, Overlap, Priority, days, job, minutes, sql, tally

STOPS, CLOSE_PERIODS, OPEN_PERIODS = sql.load(__file__, "stops", "close_periods", "open_periods")

COUNTED = ("closed", "opened")
PAGE = 100_000
BEFORE_ALL = ["", 0]


@job(
    Cron("0 0 1 * *", tz="UTC"),
    priority=Priority.CRITICAL,
    timeout=minutes(1),
    catch_up=CatchUp.EACH(12),
    overlap=Overlap.QUEUE,
    retention=days(366),
    aliases=("monthly-quota-reset",),
)
async def monthly_quota_reset(ctx: Context) -> None:
    """Close the quota periods of the month that is over and open those of the one that begins."""
    month = ctx.logical_date.replace(day=1)
    async with ctx.snapshot() as reader:
        stops = json.loads(await reader.fetchval(STOPS, month, *(ctx.cursor or BEFORE_ALL), PAGE))
    for n, stop in enumerate(stops):
        await one_page(ctx, month, stop)
        await ctx.progress(n + 1, len(stops))
    async with ctx.completing() as tx:
        tx.result({"period": month.isoformat(), **await tally.take(tx, ctx.run_id, COUNTED)})


async def one_page(ctx: Context, month: date, stop: list[Any]) -> None:
    """Those after the cursor up to `stop`, which is a kind and an id."""
    between = (month, *(ctx.cursor or BEFORE_ALL), *stop)
    async with ctx.transaction(cursor=stop) as tx:
        await tally.add(tx, ctx.run_id, "closed", await tx.execute(CLOSE_PERIODS, *between, ctx.due_at))
        await tally.add(tx, ctx.run_id, "opened", await tx.execute(OPEN_PERIODS, *between))
