"""Load the sample shop: products, customers, what they ordered and paid, what they reserved and were told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daemon import sql
from workers.jewellery import sample_shop as sample

if TYPE_CHECKING:
    import asyncpg

COUNTS, NOW, ADD_PRODUCTS, ANALYZE = sql.load(__file__, "counts", "now", "add_products", "analyze")
OF_CUSTOMERS = sql.load(
    __file__, "add_customers", "add_histories", "add_orders", "add_items", "add_totals", "add_payments",
    "add_reviews", "add_locks", "add_notifications", "add_password_resets",
)  # fmt: skip
SKUS, _, PRICES = (list(column) for column in zip(*sample.products(), strict=True))
MORE = {"add_customers": (sample.FIRST, sample.LAST), "add_items": (SKUS, PRICES)}
"""What some are given beside the first and the last customer and the instant."""

Progress = Callable[[str, int, int], None]

CUSTOMERS_AT_SCALE_1 = 500
BLOCK = 1_000
"""Customers loaded in one transaction, so that an interrupted load goes on where it stopped."""


async def seed(
    connection: asyncpg.Connection[Any], *, scale: float, cache: Path, progress: Progress
) -> Mapping[str, int]:
    """Load what is missing and say how many rows were new.

    `scale` 1 is 60 products and 500 customers with three orders each over the last 60 days, in every state; N is N
    times as many customers, with the same beginning. Nobody of them is told anything. Raises `ValueError` where there
    are customers who are not the sample's.
    """
    del cache  # nothing is downloaded
    before = await counted(connection)
    if before["strangers"]:
        raise ValueError("jewellery.customer has customers of its own: sample data goes into a database without any")
    now = await connection.fetchval(NOW.text)
    await connection.execute(ADD_PRODUCTS.text, *zip(*sample.products(), strict=True))
    wanted = max(1, round(scale * CUSTOMERS_AT_SCALE_1))
    await load_customers(connection, before["last_customer"], wanted, now, progress)
    await connection.execute(ANALYZE.text)
    after = await counted(connection)
    return {what: after[what] - before[what] for what in ("products", "customers", "orders", "payments", "locks")}


async def counted(connection: asyncpg.Connection[Any]) -> Mapping[str, int]:
    row = await connection.fetchrow(COUNTS.text)
    assert row is not None
    return dict(row)


async def load_customers(
    connection: asyncpg.Connection[Any], after: int, wanted: int, now: object, progress: Progress
) -> None:
    """The customers above `after` up to `wanted`, a block at a time with all that belongs to them."""
    progress("customers", min(after, wanted), wanted)
    while after < wanted:
        upto = min(wanted, (after // BLOCK + 1) * BLOCK)
        async with connection.transaction():
            for statement in OF_CUSTOMERS:
                await connection.execute(statement.text, after, upto, now, *MORE.get(statement.name, ()))
        after = upto
        progress("customers", after, wanted)
