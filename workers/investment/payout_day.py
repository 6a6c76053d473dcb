"""A day's own state: opened once, paid by the rates it was opened with, and held when it comes to too much."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from daemon import Context, Held, Reader, Row, Transaction, sql
from workers.investment.control_total import excess
from workers.investment.parking import allowed_to_park, most_parked
from workers.investment.settings import Settings

(
    LOCK_DAYS, DAY, GAPS, OPEN_DAY, CLOSE_DAY, AUDIT_AGAIN, FREEZE_RATES, FREEZE_LEVELS, LEARN_RATES, LEVELS_SUM,
    RETURNS_DUE, WOULD_PAY, UNRATED, EARLIER_TOTALS,
) = sql.load(
    __file__, "lock_days", "day", "gaps", "open_day", "close_day", "audit_again", "freeze_rates", "freeze_levels",
    "learn_rates", "levels_sum", "returns_due", "would_pay", "unrated", "earlier_totals",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PayoutDay:
    """A day that is being paid. `gaps`: whether some plan has no rate for it."""

    date: date
    round: int
    gaps: bool

    @property
    def ref(self) -> str:
        """How the day's references and keys begin: 2026-03-10, or 2026-03-10/2 in its second round."""
        return f"{self.date}" if self.round == 1 else f"{self.date}/{self.round}"


async def open_day(ctx: Context, tx: Transaction) -> None:
    """Open the day, or go on with it; its rates are fixed from here on.

    Raises `Held` for a day that comes to too much, or has too many investments without a rate. Whoever releases the
    run answers that question alone, for no more than was asked. Raises `ValueError` for a day that is being reversed,
    and for levels that pay out more than the return.
    """
    day = ctx.business_date
    await tx.execute(LOCK_DAYS)
    round_ = await tx.fetchval(OPEN_DAY, day, ctx.run_id)
    if round_ is None:
        raise ValueError(f"{day} is being reversed: let payout_reversal finish, then pay it again")
    await _fix_rates(tx, day, round_)
    await _hold_if_doubtful(ctx, tx, day, round_)


async def _hold_if_doubtful(ctx: Context, tx: Transaction, day: date, round_: int) -> None:
    settings: Settings = ctx.settings
    rows = await tx.fetch(RETURNS_DUE, day, round_, settings.pay_suspended)
    returns = {row["currency"]: row["amount"] for row in rows}
    due, unrated = sum(row["investments"] for row in rows), sum(row["unrated"] for row in rows)
    if unrated > await allowed_to_park(ctx, due):
        raise Held(f"{day} is not paid yet: {_without_rate(unrated, due)}", grants={"parked": unrated})
    granted = (await ctx.granted()).get("returns", {})
    in_question = {currency: total for currency, total in returns.items() if total > Decimal(granted.get(currency, 0))}
    if why := await _too_much(tx, in_question, day, settings):
        raise Held(f"{day} is not paid yet: {why}", grants={"returns": returns})


async def revisit_day(ctx: Context, tx: Transaction) -> None:
    """Make ready for single investments of a day that has been paid; plans may have been given their rates since.

    Raises `ValueError` for any other day: the few would make it look paid.
    """
    day = ctx.business_date
    await tx.execute(LOCK_DAYS)
    row = await tx.fetchrow(DAY, day)
    if row is None or row["state"] != "PAID":
        state = "has not been paid" if row is None else f"is {row['state'].lower()}"
        raise ValueError(f"args: investments: {day} {state}; single investments are paid after their day has been")
    await _fix_rates(tx, day, row["round"])


async def _fix_rates(tx: Transaction, day: date, round_: int) -> None:
    levels: Decimal = await tx.fetchval(LEVELS_SUM, day)
    if levels > 1:
        raise ValueError(
            f"commission_level pays out {levels * 100:.4f} % of the return on {day}, more than the return: lower its "
            "rates, or end the validity of a level, then: sexton retry"
        )
    await tx.execute(FREEZE_LEVELS, day, round_)
    await tx.execute(FREEZE_RATES, day, round_)
    await tx.execute(LEARN_RATES)


async def lock_day(tx: Transaction, day: PayoutDay) -> None:
    """Payouts and reversals of any day come one after the other from here on.

    Raises `ValueError` for a day that was reversed since it was read: to go on would pay its other half twice.
    """
    await tx.execute(LOCK_DAYS)
    row = await tx.fetchrow(DAY, day.date)
    assert row is not None
    if row["round"] != day.round or row["state"] not in ("PAYING", "PAID"):
        raise ValueError(
            f"{day.date} was reversed by run {row['run_id']} when this run had paid a part of it: waive this run, and "
            "pay the day anew with: sexton run-job --again"
        )


async def read_day(reader: Reader, day: date) -> PayoutDay:
    """An opened day as it stands."""
    row = await reader.fetchrow(DAY, day)
    assert row is not None
    return PayoutDay(day, row["round"], await reader.fetchval(GAPS, day, row["round"]))


def _without_rate(unrated: int, due: int) -> str:
    return f"{unrated} of {due} due investments have a plan without a rate: see investment.plan_rate"


async def _too_much(
    reader: Reader | Transaction, returns: Mapping[str, Decimal], day: date, settings: Settings
) -> str | None:
    """Judged by the returns alone: commissions never pay out more than those, and are read off the same rows."""
    earlier = await reader.fetch(EARLIER_TOTALS, day, settings.control_total_days)
    history = [(row["accrual_date"], row["currency"], row["amount"]) for row in earlier]
    return excess(returns, history, settings.control_total_factor)


async def trial(reader: Reader, day: date, settings: Settings) -> dict[str, Any]:
    """What paying the day now would come to, in the words of a run's result; nothing is changed."""
    row = await reader.fetchrow(DAY, day)
    state = row["state"] if row else None
    round_ = (row["round"] + (state == "REVERSED")) if row else 1
    unrated = await reader.fetchval(UNRATED, day, round_, settings.pay_suspended)
    rows = await reader.fetch(WOULD_PAY, day, round_, settings.pay_suspended)
    totals = told(rows)
    due = totals["investments"] + unrated
    held = (
        _without_rate(unrated, due) if unrated > most_parked(due)
        else await _too_much(reader, totals["roi"], day, settings)
    )  # fmt: skip
    return {"day": day, "round": round_, "state": state, **totals, "without_rate": unrated, "would_be_held": held}


def told(rows: Iterable[Row]) -> dict[str, Any]:
    """Rows of totals (currency, level, payments, amount, forfeited) as a run reports them; level 0 is the return."""
    rows = list(rows)
    roi = {row["currency"]: row["amount"] for row in rows if row["level"] == 0}
    levels: dict[str, Mapping[str, Decimal]] = {
        currency: {str(row["level"]): row["amount"] for row in rows if row["level"] and row["currency"] == currency}
        for currency in roi
    }
    return {
        "investments": sum(row["payments"] for row in rows if row["level"] == 0),
        "roi": roi,
        "commissions": sum(row["payments"] for row in rows if row["level"]),
        "commission": levels,
        "forfeited": sum(row["forfeited"] for row in rows),
    }
