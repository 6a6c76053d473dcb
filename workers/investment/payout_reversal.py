"""Undo a day that was paid wrongly: opposite ledger entries under the same keys, and nothing deleted."""

from __future__ import annotations

from datetime import date
from typing import Any

from daemon import Context, OnDemand, Overlap, Priority, Transaction, days, forgiving_deadlocks, job, minutes, sql
from workers.investment.daily_roi_distribution import PREPARE_FOR_MANY
from workers.investment.payout_day import CLOSE_DAY, DAY, LOCK_DAYS, PayoutDay
from workers.investment.settings import Settings

BEGIN_REVERSAL, REVERSED_UP_TO, STOPS, REVERSE_RANGE, REVERSED = sql.load(
    __file__, "begin_reversal", "reversed_up_to", "stops", "reverse_range", "reversed"
)


@job(
    OnDemand(),
    priority=Priority.CRITICAL,
    timeout=minutes(10),
    overlap=Overlap.QUEUE,
    sensitive=True,
    retention=days(8 * 366),
    aliases=("payout-reversal",),
)
async def payout_reversal(ctx: Context) -> None:
    """Undo what was paid for one day, given as --args '{"day": "2026-03-10"}'; it may be paid again afterwards.

    Balances may become negative: what was paid out meanwhile is owed.
    """
    day = day_of(ctx)
    if ctx.cursor is None:
        await begin(ctx, day)
    settings: Settings = ctx.settings
    async with ctx.snapshot() as reader:
        row = await reader.fetchrow(DAY, day)
        assert row is not None
        payout = PayoutDay(day, row["round"], gaps=False)
        stops = await reader.fetchval(STOPS, day, payout.round, ctx.cursor["after"], settings.range_size)
    for stop in stops:
        await forgiving_deadlocks(reverse, ctx, payout, stop)
        await ctx.progress(stop, stops[-1])
    await complete(ctx, payout)


async def begin(ctx: Context, day: date) -> None:
    """Make the day this run's to reverse, from where one that did not end has left it. Raises `ValueError`."""
    async with ctx.snapshot() as reader:
        after: int = await reader.fetchval(REVERSED_UP_TO, day)
    async with ctx.transaction(cursor={"after": after}) as tx:
        await tx.execute(LOCK_DAYS)
        if await tx.fetchval(BEGIN_REVERSAL, day, ctx.run_id) is None:
            row = await tx.fetchrow(DAY, day)
            raise ValueError(f"{day} cannot be reversed: " + _why_not(row))


async def lock_day(ctx: Context, tx: Transaction, day: PayoutDay) -> None:
    """Raises `ValueError` where another run has it now: it may have been reversed, and even paid anew, since."""
    await tx.execute(LOCK_DAYS)
    row = await tx.fetchrow(DAY, day.date)
    assert row is not None
    if (row["state"], row["run_id"]) != ("REVERSING", ctx.run_id):
        raise ValueError(f"{day.date} is not this run's to reverse any more: see run {row['run_id']}")


def day_of(ctx: Context) -> date:
    """From the run's arguments. Raises `ValueError`."""
    text = ctx.args.get("day")
    if set(ctx.args) != {"day"} or not isinstance(text, str):
        raise ValueError('args: give the day to reverse and nothing else, such as {"day": "2026-03-10"}')
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"args: day = {text!r}: write it like 2026-03-10") from None


def _why_not(row: Any) -> str:
    if row is None:
        return "nothing was paid for it"
    if row["state"] == "REVERSED":
        return f"run {row['run_id']} has reversed it already"
    return f"run {row['run_id']} is not done with it: let it end, or waive it"


async def reverse(ctx: Context, day: PayoutDay, stop: int) -> None:
    """Undo what was paid for the investments after the cursor up to `stop`, in one transaction."""
    above = ctx.cursor["after"]
    async with ctx.transaction(cursor={"after": stop}) as tx:
        await tx.execute(PREPARE_FOR_MANY)
        await lock_day(ctx, tx, day)
        entries = await tx.fetchval(REVERSE_RANGE, day.date, day.round, above, stop, ctx.now(), day.ref)
    ctx.log.info("%d entries of %s reversed, up to investment %d", entries, day.date, stop)


async def complete(ctx: Context, day: PayoutDay) -> None:
    """Close the day as reversed, and report what was undone."""
    async with ctx.completing() as tx:
        await tx.execute(PREPARE_FOR_MANY)
        await lock_day(ctx, tx, day)
        await tx.execute(CLOSE_DAY, day.date, "REVERSED", ctx.run_id)
        rows = await tx.fetch(REVERSED, day.date, day.round, day.ref)
        undone: dict[str, dict[str, Any]] = {"ROI": {}, "COMMISSION": {}}
        for row in rows:
            undone[row["kind"]][row["currency"]] = row["amount"]
        tx.result(
            {"day": day.date, "round": day.round, "entries": sum(row["entries"] for row in rows),
             "roi": undone["ROI"], "commission": undone["COMMISSION"]}
        )  # fmt: skip
