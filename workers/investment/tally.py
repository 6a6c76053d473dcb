"""What a run of several transactions has done so far, kept with what it did: a later try reports all of it."""

from __future__ import annotations

from collections.abc import Iterable

from daemon import Transaction, sql

ADD, TAKE = sql.load(__file__, "add", "take")


async def add(tx: Transaction, run_id: int, step: str, rows: int) -> None:
    if rows:
        await tx.execute(ADD, run_id, step, rows)


async def take(tx: Transaction, run_id: int, steps: Iterable[str]) -> dict[str, int]:
    """Step → rows of all tries of this run, and zero where there were none; they are forgotten by this."""
    found = {row["step"]: row["rows"] for row in await tx.fetch(TAKE, run_id)}
    return dict.fromkeys(steps, 0) | found
