"""Pay each investment its return for the day that has just ended, and its uplines their commissions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from daemon import CatchUp, Context, Cron, Overlap, Priority, days, forgiving_deadlocks, job, minutes, sql
from workers.investment.bisection import TooManyRefused, bisected
from workers.investment.parking import allowed_to_park, hold_if_too_many, park, park_unrated, tell_parked, too_many
from workers.investment.payout_day import (
    AUDIT_AGAIN,
    CLOSE_DAY,
    PayoutDay,
    lock_day,
    open_day,
    read_day,
    revisit_day,
    told,
    trial,
)  # fmt: skip
from workers.investment.settings import Settings
from workers.investment.suspects import suspects_of

(
    PREPARE_FOR_MANY, PREPARE_FOR_FEW, STOPS, PAY_RANGE, TELL_INVESTORS, EARLIER_DAYS_SETTLED, CLOSE_MATURED,
    PAID_BY_RUN,
) = sql.load(
    __file__, "prepare_for_many", "prepare_for_few", "stops", "pay_range", "tell_investors", "earlier_days_settled",
    "close_matured", "paid_by_run",
)  # fmt: skip

FEW = 2000
"""Ids up to which investments are looked up one by one rather than read through."""


async def dry_run(ctx: Context) -> dict[str, Any]:
    """What a run for this business date would pay."""
    if ctx.args:
        raise ValueError("args: a dry run is about the whole day")
    async with ctx.snapshot() as reader:
        await reader.execute(PREPARE_FOR_MANY)
        return await trial(reader, ctx.business_date, ctx.settings)


@job(
    Cron("0 0 * * *", tz="Asia/Kolkata"),
    priority=Priority.CRITICAL,
    timeout=minutes(10),
    catch_up=CatchUp.EACH(31),
    overlap=Overlap.QUEUE,
    business_day_offset=1,
    sensitive=True,
    retention=days(8 * 366),
    aliases=("daily-roi-distribution",),
    dry_run=dry_run,
)
async def daily_roi_distribution(ctx: Context) -> None:
    """Pay each investment its return for the day that has just ended, and its uplines their commissions."""
    chosen = chosen_of(ctx)
    if ctx.cursor is None:
        async with ctx.transaction(cursor={"after": 0}) as tx:
            await tx.execute(PREPARE_FOR_MANY)
            await (open_day(ctx, tx) if chosen is None else revisit_day(ctx, tx))
    async with ctx.snapshot() as reader:
        day = await read_day(reader, ctx.business_date)
        stops = await reader.fetchval(STOPS, ctx.cursor["after"], ctx.settings.range_size)
    for stop in stops:
        await forgiving_deadlocks(pay, ctx, day, chosen, stop)
        await ctx.progress(stop, stops[-1])
    await forgiving_deadlocks(complete, ctx, day, chosen)


def chosen_of(ctx: Context) -> list[int] | None:
    """By hand only these investments, from the run's arguments; None for all. Raises `ValueError`."""
    if unknown := ctx.args.keys() - {"investments"}:
        raise ValueError(f"args: {', '.join(sorted(unknown))}: the only one is investments, a list of ids")
    ids = ctx.args.get("investments")
    if ids is None:
        return None
    if not isinstance(ids, list) or not all(type(i) is int and i > 0 for i in ids) or not ids:
        raise ValueError(f"args: investments = {ids!r}: must be a list of ids")
    return ids


async def pay(ctx: Context, day: PayoutDay, chosen: list[int] | None, stop: int) -> None:
    """Pay the investments after the cursor up to `stop`, in one transaction; what cannot be paid is parked.

    Raises `Held` where that is more than single rows, and no person has allowed so many.
    """
    settings: Settings = ctx.settings
    above, now = ctx.cursor["after"], ctx.now()
    most = await allowed_to_park(ctx, settings.range_size)

    async def attempt(low: int, high: int, but: Sequence[int]) -> int:
        is_whole = (low, high) == (above, stop)
        await tx.execute(PREPARE_FOR_MANY if is_whole and high - low > FEW and not chosen else PREPARE_FOR_FEW)
        paid: int = await tx.fetchval(
            PAY_RANGE, day.date, day.round, low, high, ctx.run_id, now, day.ref, settings.pay_suspended, chosen, but
        )
        return paid

    async def suspects(low: int, high: int) -> Sequence[int]:
        await tx.execute(PREPARE_FOR_FEW)
        return await suspects_of(tx, day, low, high, chosen)

    try:
        async with ctx.transaction(cursor={"after": stop}) as tx:
            await lock_day(tx, day)
            if day.gaps:
                await park_unrated(ctx, tx, day.round, above, stop, chosen)
            paid, refused = await bisected(tx, above, stop, attempt, suspects=suspects, most=most)
            await park(ctx, tx, refused)
            if refused or day.gaps:
                await hold_if_too_many(ctx, tx)
    except TooManyRefused as error:
        words = f"investments up to {stop} cannot be paid for {day.date}: {error}"
        raise too_many(words, len(error.refused)) from error
    for investment, reason in refused:
        ctx.log.error("investment %d cannot be paid for %s: %s", investment, day.date, reason)
    ctx.log.info("%d investments up to %d paid for %s", paid, stop, day.date)


async def complete(ctx: Context, day: PayoutDay, chosen: list[int] | None) -> None:
    """Tell the investors, complete what has matured, close the day, and report what all tries of this run paid."""
    settings: Settings = ctx.settings
    notified = completed = 0
    key = f"roi:{day.ref}" if chosen is None else f"roi:{day.ref}:run-{ctx.run_id}"
    async with ctx.completing() as tx:
        await tx.execute(PREPARE_FOR_FEW if chosen else PREPARE_FOR_MANY)
        await lock_day(tx, day)
        if settings.notify_investors:
            notified = await tx.execute(TELL_INVESTORS, day.date, day.round, ctx.run_id, key, chosen, ctx.now())
        in_order = await tx.fetchval(EARLIER_DAYS_SETTLED, day.date)
        if in_order:
            completed = await tx.execute(CLOSE_MATURED, day.date, day.round)
        if chosen is None:
            await tx.execute(CLOSE_DAY, day.date, "PAID", ctx.run_id)
        else:
            await tx.execute(AUDIT_AGAIN, day.date, day.round)
        totals = told(await tx.fetch(PAID_BY_RUN, day.date, day.round, ctx.run_id))
        tx.result(
            {"day": day.date, "round": day.round, **totals, "parked": await tell_parked(ctx, tx), "notified": notified,
             "completed": completed if in_order else None}
        )  # fmt: skip
    if not in_order:
        ctx.log.warning("matured investments stay open: a day before %s is not settled", day.date)
