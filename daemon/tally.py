"""What a run of several transactions has done so far, kept with what it did: a later try reports all of it.

It is kept in the suite's own table `run_tally (run_id bigint, step text, rows bigint, PRIMARY KEY (run_id, step))`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from daemon import sql

if TYPE_CHECKING:
    from daemon.transaction import Transaction

ADD, TAKE = sql.load(__file__, "add", "take")


async def add(tx: Transaction, run_id: int, step: str, rows: int) -> None:
    """Count `rows` more of a step, in the transaction that did them."""
    if rows:
        await tx.execute(ADD, run_id, step, rows)


async def take(tx: Transaction, run_id: int, steps: Iterable[str]) -> dict[str, int]:
    """Step → rows of all tries of this run, and zero where there were none; they are forgotten by this."""
    found = {row["step"]: row["rows"] for row in await tx.fetch(TAKE, run_id)}
    return dict.fromkeys(steps, 0) | found
