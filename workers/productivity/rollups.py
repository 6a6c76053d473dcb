"""Weeks and months, made of days that were rolled up: never of sessions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from daemon import Row, Transaction, sql

ROLL_UP_WEEK, ROLL_UP_MONTH, WEEKS_OF, MONTHS_OF, WEEKS_BEFORE, MONTHS_BEFORE = sql.load(
    __file__, "roll_up_week", "roll_up_month", "weeks_of", "months_of", "weeks_before", "months_before"
)
ANOMALIES, FIGURES = sql.load(__file__, "anomalies", "figures")

TENTH = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Period:
    """`name` is what SQL calls it. `roll_up` takes the first day of such a period, `judge` and `figures` that and the
    name; `among` the first and the last of some days. `before` finds earlier ones that nobody rolled up.
    """

    name: str
    roll_up: sql.Statement
    judge: sql.Statement
    figures: sql.Statement
    among: sql.Statement
    before: sql.Statement


def judged_and_told(rollup: str, start: str) -> tuple[sql.Statement, sql.Statement]:
    return ANOMALIES.on(rollup=rollup, start=start), FIGURES.on(rollup=rollup, start=start)


WEEKLY = Period("week", ROLL_UP_WEEK, *judged_and_told("metric_weekly", "week_start"), WEEKS_OF, WEEKS_BEFORE)
MONTHLY = Period("month", ROLL_UP_MONTH, *judged_and_told("metric_monthly", "month"), MONTHS_OF, MONTHS_BEFORE)


async def roll_up(tx: Transaction, period: Period, start: date) -> dict[str, Any]:
    """The period that begins on `start`, anew; its figures beside those of the one before. The first run also makes all
    that there are days of, so that there is something to compare with."""
    for row in await tx.fetch(period.before, start):
        await anew(tx, period, row["start"])
    anomalies = await anew(tx, period, start)
    figures = told(await tx.fetch(period.figures, start, period.name))
    return {"start": start.isoformat(), "anomalies": anomalies, "figures": figures}


async def anew(tx: Transaction, period: Period, start: date) -> int:
    """How many of its figures are unusual."""
    await tx.execute(period.roll_up, start)
    unusual: int = await tx.fetchval(period.judge, start, period.name)
    return unusual


async def refresh(tx: Transaction, first: date, last: date) -> int:
    """What was rolled up of days that were counted anew is rolled up again; how many weeks and months it was."""
    again = 0
    for period in (WEEKLY, MONTHLY):
        for row in await tx.fetch(period.among, first, last):
            await anew(tx, period, row["start"])
            again += 1
    return again


def told(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """PURE: numbers as text, because they are exact; `change_pct` against the period before, None of nothing."""
    return [
        {"metric": row["metric"], **json.loads(row["dims"]), "value": text(row["value"]), "before": text(row["before"]),
         "change_pct": text(change_pct(row["value"], row["before"]))}
        for row in rows
    ]  # fmt: skip


def change_pct(now: Decimal | None, before: Decimal | None) -> Decimal | None:
    """PURE: one place, half up."""
    if now is None or not before:
        return None
    return (100 * (now - before) / abs(before)).quantize(TENTH, ROUND_HALF_UP)


def text(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")
