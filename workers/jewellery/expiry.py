"""Delete what is over, in transactions so short that nobody who sells is kept waiting."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from daemon import Context, sql, tally
from workers.jewellery.pace import Pace

DELETED = "deleted"
EVER = datetime(1, 1, 1, tzinfo=UTC)


async def delete_before(ctx: Context, statement: sql.Statement, before: datetime) -> int:
    """How many rows went in this try; all tries together are reported as `deleted`.

    `statement` deletes what is older than $1 and not older than $2, the oldest first, at most $3; it gives their number
    (`deleted`) and the instant of the last (`last`). It passes over rows that somebody holds: they go the next time.
    """
    pace, reached, gone = Pace(), EVER, 0
    while True:
        began = time.monotonic()
        async with ctx.transaction(cursor=(ctx.cursor or 0) + 1) as tx:
            batch = await tx.fetchrow(statement, before, reached, pace.rows)
            assert batch is not None
            await tally.add(tx, ctx.run_id, DELETED, batch["deleted"])
        deleted: int = batch["deleted"]
        gone += deleted
        if deleted < pace.rows:
            return gone
        reached, pace = batch["last"], pace.after(time.monotonic() - began)
        await ctx.progress(gone)


async def report_deleted(ctx: Context) -> int:
    """Complete the run, reporting what all of its tries deleted."""
    async with ctx.completing() as tx:
        counts = await tally.take(tx, ctx.run_id, [DELETED])
        tx.result(counts)
    return counts[DELETED]
