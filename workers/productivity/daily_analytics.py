"""What a day came to: who focused, on what, for how long; who came back; goals; and what was unusual."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta

from daemon import CatchUp, Context, Cron, Overlap, Priority, Transaction, days, job, minutes, sql
from workers.productivity import many_people, rollups
from workers.productivity.local_days import local_days
from workers.productivity.settings import Settings

MATCH_BY_HASH, FIRST_DAY, JUDGE, TOLD = sql.load(__file__, "match_by_hash", "first_day", "judge", "told")
FORGET = sql.load(__file__, "forget_activity", "forget_figures")
COUNT = sql.load(__file__, "signed_up", "count_activity", "count_people", "count_sessions", "count_goals")
(RETAIN,) = sql.load(__file__, "retain")

COUNTED_AGAIN = 3
"""Days, the newest included, that every run counts: clients that were offline write late."""
DAYS_AT_ONCE = 7
ONE_DAY = timedelta(days=1)


@job(
    Cron("0 1 * * *", tz="UTC"),
    priority=Priority.MEDIUM,
    timeout=minutes(60),
    catch_up=CatchUp.LATEST,
    overlap=Overlap.QUEUE,
    business_day_offset=1,
    retention=days(366),
    aliases=("analytics/dailyAnalytics",),
)
async def daily_analytics(ctx: Context) -> None:
    """Count the days that are new and the last three anew; `days`, an argument, says how many instead of three.

    Days are those of everyone's own calendar, so the newest is over everywhere some hours later: until then its
    figures stand as provisional, `is_complete` 0, and nothing is judged by them.
    """
    last = ctx.business_date
    first, begin = await where_to_begin(ctx, last)
    calendar = await local_days(ctx)
    while begin <= last:
        end = min(begin + (DAYS_AT_ONCE - 1) * ONE_DAY, last)
        zone_days = await calendar.days(begin, (end - begin).days + 1)
        async with ctx.transaction(cursor=[first.isoformat(), end.isoformat()]) as tx:
            await count(tx, begin, end, zone_days, ctx.now())
        await ctx.progress((end - first).days + 1, (last - first).days + 1)
        begin = end + ONE_DAY
    async with ctx.completing() as tx:
        anomalies: int = await tx.fetchval(JUDGE, first, last)
        again = await rollups.refresh(tx, first, last)
        row = await tx.fetchrow(TOLD, last)
        assert row is not None
        tx.result(
            {"day": last.isoformat(), "days": (last - first).days + 1, "complete_through": row["complete_through"],
             "anomalies": anomalies, "rolled_up_again": again, "figures": json.loads(row["figures"])}
        )  # fmt: skip


async def where_to_begin(ctx: Context, last: date) -> tuple[date, date]:
    """The first day of the run, and the first that no earlier try of it counted."""
    if ctx.cursor is None:
        first = await first_day(ctx, last)
        return first, first
    first, counted = map(date.fromisoformat, ctx.cursor)
    return first, counted + ONE_DAY


async def first_day(ctx: Context, last: date) -> date:
    """Raises `ValueError` for an argument that is no number of days; never before what raw sessions are kept of."""
    settings: Settings = ctx.settings
    kept = settings.cleanup_interval_days - 2
    wanted = ctx.args.get("days", COUNTED_AGAIN)
    if isinstance(wanted, bool) or not isinstance(wanted, int) or not 1 <= wanted <= kept:
        raise ValueError(f"days: {wanted!r} is not a number from 1 to {kept}; older sessions are in the archive")
    async with ctx.snapshot() as reader:
        first: date = await reader.fetchval(FIRST_DAY, last, wanted, kept)
    return first


async def count(tx: Transaction, first: date, last: date, zone_days: str, now: datetime) -> None:
    await tx.execute(many_people.SET_UP)
    await tx.execute(MATCH_BY_HASH)
    for statement in FORGET:
        await tx.execute(statement, first, last)
    for statement in COUNT:
        await tx.execute(statement, first, last, zone_days, now)
    await tx.execute(RETAIN, first, last)
