"""What a person needs to know of a payment in order to decide about it, as rows that become JSON."""

from __future__ import annotations

import json
from typing import Any

from daemon import Reader, Row, sql
from workers.jewellery.payment_rules import Ruling, refusal

WAITING, PAYMENT = sql.load(__file__, "waiting", "payment")

MOST = 500


async def waiting(reader: Reader, most: int = MOST) -> list[dict[str, Any]]:
    """The payments in REVIEW, those that have waited longest first."""
    return [told(row) for row in await reader.fetch(WAITING, most)]


async def payment(reader: Reader, payment_id: str) -> dict[str, Any] | None:
    """One payment, by its own id or the provider's, with all that became of it; None if there is none."""
    row = await reader.fetchrow(PAYMENT, payment_id)
    if row is None:
        return None
    return told(row) | {"history": json.loads(row["history"])}


def told(row: Row) -> dict[str, Any]:
    """`decisions`: for each, null where it would be followed, else why not."""
    known = {name: row[name] for name in (
        "payment", "status", "amount", "currency", "reason", "provider_payment", "provider_order", "amount_refunded",
        "created_at", "order", "order_number", "order_status", "paid_by", "since",
    )}  # fmt: skip
    decisions = {
        str(ruling): refusal(ruling, row["status"], row["order_status"], paid_by_another=row["paid_by"] is not None)
        for ruling in Ruling
    }
    return known | {"decisions": decisions}
