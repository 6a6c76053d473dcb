"""Invoice the customers whose billing period ended with the business date."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from daemon import CatchUp, Context, Cron, Overlap, Priority, Row, days, forgiving_deadlocks, job, minutes, sql
from workers.flights.isolation import isolated
from workers.flights.settings import Settings

DUE_PERIODS, LOCK_CUSTOMERS, BILL, PARK, SETTLE, OWED, CREDIT, BILLED, LEFT = sql.load(
    __file__, "due_periods", "lock_customers", "bill", "park", "settle", "owed", "credit", "billed", "left"
)

CUSTOMERS_AT_ONCE, RECORDS_AT_ONCE = 500, 50_000
"""In one statement and transaction, which takes a second or two and locks the series' row that long. Small ones
would wait for the disk as many times, and have the server plan its checks for tables that look empty."""

MOST_PARKED = 100
"""Or a thousandth of those due. Beyond that something else is wrong than single customers' data."""


class TooManyParkedError(Exception):
    """So many customers cannot be billed that the run is stopped for a person to look."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a run is asked for: everybody, or some customers by hand, and the date that their invoices bear."""

    issued_on: date
    customers: list[int] | None = None


@job(
    Cron("0 1 * * *"),
    priority=Priority.CRITICAL,
    timeout=minutes(30),
    catch_up=CatchUp.EACH(62),
    overlap=Overlap.QUEUE,
    business_day_offset=1,
    retention=days(8 * 366),
    aliases=("consolidated-invoice",),
)
async def consolidated_invoice(ctx: Context) -> None:
    """Invoice the customers whose billing period ended with the business date."""
    order = order_of(ctx)
    async with ctx.snapshot() as reader:
        due = await reader.fetch(DUE_PERIODS, ctx.business_date, order.customers)
    check_all_due(order, due, ctx.business_date)
    parked = 0
    left = due if ctx.cursor is None else [row for row in due if row["customer_id"] > ctx.cursor]
    for batch in batches(left):
        parked += await forgiving_deadlocks(bill_batch, ctx, order, batch)
        if parked > max(MOST_PARKED, len(due) // 1000):
            raise TooManyParkedError(f"{parked} customers cannot be billed: see flights.parked_bill")
        await ctx.progress(batch[-1]["customer_id"], due[-1]["customer_id"])
    await forgiving_deadlocks(complete, ctx, order, due)


def order_of(ctx: Context) -> Order:
    """From the run's arguments. By hand an invoice is issued today, however long ago its period ended."""
    if unknown := ctx.args.keys() - {"customers"}:
        raise ValueError(f"args: {', '.join(sorted(unknown))}: the only one is customers, a list of ids")
    customers = ctx.args.get("customers")
    if customers is None:
        return Order(ctx.logical_date)
    if not isinstance(customers, list) or not all(type(c) is int for c in customers) or not customers:
        raise ValueError(f"args: customers = {customers!r}: must be a list of ids")
    return Order(ctx.now().date(), customers)


def check_all_due(order: Order, due: Sequence[Row], business_date: date) -> None:
    if missing := set(order.customers or ()) - {row["customer_id"] for row in due}:
        raise ValueError(f"customers {sorted(missing)} have no billing period that ends on {business_date}")


def batches(due: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """As many customers at once as the limits allow, and at least one."""
    batch: list[Row] = []
    records = 0
    for row in due:
        if batch and (len(batch) >= CUSTOMERS_AT_ONCE or records + row["records"] > RECORDS_AT_ONCE):
            yield batch
            batch, records = [], 0
        batch.append(row)
        records += row["records"]
    if batch:
        yield batch


async def bill_batch(ctx: Context, order: Order, batch: Sequence[Row]) -> int:
    """Bill these customers in one transaction; returns how many had to be parked."""
    settings: Settings = ctx.settings
    ids = [row["customer_id"] for row in batch]

    async def bill(part: Sequence[Row]) -> None:
        columns = [[row[name] for row in part] for name in ("customer_id", "period_start", "period_end", "final")]
        await tx.execute(BILL, *columns, order.issued_on, settings.invoice_series, settings.terms_days, ctx.run_id)
        await tx.execute(SETTLE, columns[0], ctx.business_date, ctx.run_id)

    async with ctx.transaction(cursor=ids[-1]) as tx:
        await tx.execute(LOCK_CUSTOMERS, ids)
        _, refused = await isolated(tx, batch, bill)
        for row, reason in refused:
            await tx.execute(PARK, row["customer_id"], ctx.business_date, reason, ctx.run_id)
    for row, reason in refused:
        ctx.log.error("customer %d cannot be billed to %s: %s", row["customer_id"], ctx.business_date, reason)
    return len(refused)


async def complete(ctx: Context, order: Order, due: Sequence[Row]) -> None:
    """Credit what was rated again since it was billed, and report what all tries of this run came to."""
    settings: Settings = ctx.settings

    async def credit(invoices: Sequence[int]) -> int:
        notes: int = await tx.fetchval(CREDIT, invoices, order.issued_on, settings.credit_note_series)
        return notes

    async with ctx.completing() as tx:
        owed = [row["invoice_id"] for row in await tx.fetch(OWED)]
        notes, refused = await isolated(tx, owed, credit)
        left = await tx.fetchrow(
            LEFT, [row["customer_id"] for row in due], [row["period_end"] for row in due], ctx.business_date, ctx.run_id
        )
        assert left is not None
        totals = result(await tx.fetch(BILLED, ctx.run_id), left, sum(notes), len(refused))
        tx.result(totals)
    for invoice, reason in refused:
        ctx.log.error("invoice %d cannot be credited: %s", invoice, reason)
    if totals["stranded"]:
        ctx.log.warning("%(stranded)d customers have charges but no billing cycle, or are not active", totals)
    if totals["invoices"]:
        ctx.log.info("%d invoices for periods ending %s", totals["invoices"], ctx.business_date)


def result(billed: Sequence[Row], left: Row, credit_notes: int, uncredited: int) -> dict[str, Any]:
    """What the run reports; amounts as text, because JSON numbers are not money."""
    return {
        "invoices": sum(row["invoices"] for row in billed),
        "totals": {row["currency"]: str(row["total"]) for row in billed},
        "lines": sum(row["lines"] for row in billed),
        "late_lines": sum(row["late"] for row in billed),
        "carried": left["carried"],
        "parked": left["parked"],
        "stranded": left["stranded"],
        "credit_notes": credit_notes,
        "uncredited": uncredited,
    }
