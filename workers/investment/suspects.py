"""Investments that the books themselves speak against, found at once instead of by halving."""

from __future__ import annotations

from collections.abc import Sequence

from daemon import Transaction, sql
from workers.investment.payout_day import PayoutDay

(SUSPECTS,) = sql.load(__file__, "suspects")


async def suspects_of(
    tx: Transaction, day: PayoutDay, above: int, stop: int, chosen: Sequence[int] | None
) -> list[int]:
    """Those after `above` up to `stop` whose rows are there already, or whose amounts leave no room; in order."""
    rows = await tx.fetch(SUSPECTS, day.date, day.round, above, stop, day.ref, chosen)
    return [row["id"] for row in rows]
