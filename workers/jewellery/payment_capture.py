"""Capture what a bank has authorised, where the operator wants it and nothing speaks against it."""

from __future__ import annotations

from collections.abc import Sequence

from daemon import Context, Row, sql
from workers.jewellery.payment_books import Books, OrderState, payment_of
from workers.jewellery.payment_rules import Effect, Seen, transition
from workers.jewellery.razorpay import Razorpay

(KNOWN,) = sql.load(__file__, "known")


async def captured(ctx: Context, provider: Razorpay, seen: Seen, payment_id: str | None = None) -> Seen:
    """What `seen` is after it: captured, or as it was. Asked before any row is locked; the rules are applied once more
    under the locks, so that an order that is cancelled meanwhile becomes a review."""
    if not ctx.settings.razorpay.auto_capture or seen.status != "authorized":
        return seen
    async with ctx.snapshot() as reader:
        books = books_of(await reader.fetch(KNOWN, payment_id, seen.attempt, seen.order))
    payment = books.of(seen, payment_id)
    if payment is None or Effect.MAY_CAPTURE not in transition(books.local(payment, ctx.now(), seen.at), seen).effects:
        return seen
    return await provider.capture(seen)


def books_of(rows: Sequence[Row]) -> Books:
    books = Books()
    for row in rows:
        books.add(payment_of(row))
        books.orders[row["order_id"]] = OrderState(
            row["order_id"], row["order_number"], row["customer_id"], row["order_status"]
        )
    return books
