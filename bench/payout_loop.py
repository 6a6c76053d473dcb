"""The payout as a loop over single rows, as it is often written: prepared statements, everything asked when needed."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from contextlib import nullcontext
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import asyncpg

from daemon import sql

DUE, LEVELS, USER, DISTRIBUTE, SHARE, ENTER, CREDIT, ACCRUE, TELL = sql.load(
    __file__, "due", "levels", "user", "distribute", "share", "enter", "credit", "accrue", "tell"
)
(PAID,) = sql.load(str(Path(__file__).with_name("payout.sql")), "paid")

CENT = Decimal("0.01")
Purses = dict[int, dict[str, dict[str, Decimal]]]


async def main(url: str, day: str, investments: int, at_once: bool) -> dict[str, Any]:
    """Seconds for so many investments and their messages; a commit for each of them, or one for all."""
    connection = await asyncpg.connect(url)
    loop = Loop(connection, date.fromisoformat(day))
    began = time.perf_counter()
    due = await connection.fetch(DUE.text, loop.day, investments)
    loop.rates = [(row["level"], row["rate"]) for row in await connection.fetch(LEVELS.text, loop.day)]
    async with connection.transaction() if at_once else nullcontext():
        for row in due:
            async with connection.transaction():
                await loop.pay(row)
        for user, purses in loop.purses.items():
            await loop.tell(user, purses)
    took = time.perf_counter() - began
    last = due[-1]["id"]
    (paid,) = await connection.fetch(PAID.text, last)
    await connection.close()
    return {"seconds": took, "last": last, "paid": dict(paid)}


class Loop:
    def __init__(self, connection: asyncpg.Connection, day: date) -> None:
        self.connection, self.day = connection, day
        self.rates: list[tuple[int, Decimal]] = []
        self.purses: Purses = defaultdict(lambda: defaultdict(lambda: {"roi": Decimal(0), "commission": Decimal(0)}))

    async def pay(self, row: asyncpg.Record) -> None:
        execute, user, currency = self.connection.execute, row["user_id"], row["currency"]
        amount = rounded(row["principal"] * row["daily_rate"])
        if row["cap_ratio"] is not None:
            amount = min(amount, rounded(row["principal"] * row["cap_ratio"]) - row["paid_total"])
        if amount <= 0:
            return
        await execute(DISTRIBUTE.text, self.day, row["id"], user, row["daily_rate"], amount, currency)
        await execute(ENTER.text, f"{self.day}:{row['id']}", "ROI", user, amount, currency)
        await execute(CREDIT.text, user, currency, amount)
        await execute(ACCRUE.text, row["id"], amount)
        self.purses[user][currency]["roi"] += amount
        await self.share(row, amount)

    async def share(self, row: asyncpg.Record, amount: Decimal) -> None:
        """Up to five levels, nobody twice."""
        execute, currency, met = self.connection.execute, row["currency"], {row["user_id"]}
        above = (await self.connection.fetchrow(USER.text, row["user_id"]))["referrer_id"]
        for level, rate in self.rates:
            if above is None or above in met:
                return
            met.add(above)
            upline, part = await self.connection.fetchrow(USER.text, above), rounded(amount * rate)
            if upline["status"] == "ACTIVE" and part > 0:
                await execute(SHARE.text, self.day, level, row["id"], above, rate, part, currency)
                await execute(ENTER.text, f"{self.day}:{level}:{row['id']}", "COMMISSION", above, part, currency)
                await execute(CREDIT.text, above, currency, part)
                self.purses[above][currency]["commission"] += part
            above = upline["referrer_id"]

    async def tell(self, user: int, purses: dict[str, dict[str, Decimal]]) -> None:
        data = {"date": str(self.day), "purses": purses}
        await self.connection.execute(TELL.text, user, json.dumps(data, default=str), f"roi:{self.day}:{user}")


def rounded(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)
