"""Investments that cannot be paid for a day: parked with their reason, told, and held if they are many."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from daemon import Context, Held, Transaction, sql, tell_each
from workers.investment.bisection import Refused
from workers.investment.settings import Settings

PARK, PARK_UNRATED, PARKED, STILL_PARKED = sql.load(__file__, "park", "park_unrated", "parked", "still_parked")

SHOWN = 50
"""Rows in the mail."""


TENFOLD = 10
"""A release allows so many times what was found: looking for more of them ends at the first that is too many."""


def most_parked(due: int) -> int:
    """So many of a day's investments may be unpayable before something else is wrong than single rows."""
    return max(100, due // 1000)


async def allowed_to_park(ctx: Context, due: int) -> int:
    """Single rows, and as many besides as persons have been asked about and let go."""
    granted: int = (await ctx.granted()).get("parked", 0)
    return granted + most_parked(due)


def too_many(words: str, found: int) -> Held:
    """What a person is asked when more than single rows cannot be paid; releasing the run is the answer."""
    allowed = TENFOLD * found
    return Held(f"{words}; released, the run parks up to {allowed} and pays the others", grants={"parked": allowed})


async def park(ctx: Context, tx: Transaction, refused: Refused) -> None:
    """Keep what was refused, with the reasons, for the day and run at hand."""
    for investment, reason in refused:
        await tx.execute(PARK, ctx.business_date, investment, reason, ctx.run_id)


async def park_unrated(
    ctx: Context, tx: Transaction, round_: int, above: int, stop: int, chosen: Sequence[int] | None
) -> None:
    """Park those after `above` up to `stop` whose plan has no rate for the day."""
    settings: Settings = ctx.settings
    await tx.execute(
        PARK_UNRATED, ctx.business_date, round_, above, stop, ctx.run_id, settings.pay_suspended, chosen
    )  # fmt: skip


async def hold_if_too_many(ctx: Context, tx: Transaction) -> None:
    """Single rows are parked; when it is many, something else is wrong. Raises `Held`, and the range is not paid.

    A person who releases the run lifts that limit only, and only so far.
    """
    counts = await tx.fetchrow(PARKED, ctx.business_date, ctx.run_id)
    assert counts is not None
    if counts["parked"] > await allowed_to_park(ctx, counts["due"]):
        words = f"{counts['parked']} investments cannot be paid for {ctx.business_date}, such as: {counts['reason']}"
        raise too_many(words, counts["parked"])


async def tell_parked(ctx: Context, tx: Transaction) -> int:
    """How many this run could not pay; the administrators are told which, why, and how to pay them after all."""
    counts = await tx.fetchrow(PARKED, ctx.business_date, ctx.run_id)
    assert counts is not None
    if counts["parked"]:
        rows = await tx.fetch(STILL_PARKED, ctx.business_date, ctx.run_id, SHOWN)
        shown = [(row["investment_id"], row["reason"]) for row in rows]
        data = letter(ctx.business_date, ctx.logical_date, ctx.run_id, shown, counts["parked"])
        settings: Settings = ctx.settings
        key = f"payouts_parked:{ctx.run_id}"
        await tell_each(tx, settings.administrators, "payouts_parked", key=key, data=data, kind="alert")
    return int(counts["parked"])


def letter(day: date, due: date, run: int, shown: Refused, parked: int) -> dict[str, Any]:
    """What the mail is made of: the investments that it lists, with their reasons, and how many there are beyond."""
    return {
        "date": day.isoformat(),
        "due": due.isoformat(),
        "run": run,
        "rows": [{"investment": investment, "reason": reason} for investment, reason in shown],
        "more": parked - len(shown),
    }
