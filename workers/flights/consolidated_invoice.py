"""Invoice the customers whose billing period ended with the business date."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from daemon import CatchUp, Context, Cron, Overlap, Priority, Row, days, job, minutes, sql
from workers.flights.settings import Settings

DUE_PERIODS, LOCK_CUSTOMERS, BILL, CREDIT, BILLED = sql.load(
    __file__, "due_periods", "lock_customers", "bill", "credit", "billed"
)

CUSTOMERS_AT_ONCE = 100
"""In one transaction, with all their currencies. The series' row is locked that long, and so many are one
statement: a hundred small transactions would wait for the disk a hundred times."""


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
    settings: Settings = ctx.settings
    async with ctx.snapshot() as reader:
        due = await reader.fetch(DUE_PERIODS, ctx.business_date, ctx.cursor or 0)
    carried = 0
    for batch in batches(due):
        ids = [row["customer_id"] for row in batch]
        async with ctx.transaction(cursor=ids[-1]) as tx:
            await tx.execute(LOCK_CUSTOMERS, ids)
            carried += await tx.fetchval(
                BILL, ids, *columns(batch), ctx.logical_date, settings.invoice_series, settings.terms_days
            )
        await ctx.progress(ids[-1], due[-1]["customer_id"])
    async with ctx.completing() as tx:
        credit_notes = await tx.fetchval(CREDIT, ctx.logical_date, settings.credit_note_series)
        totals = result(await tx.fetch(BILLED, ctx.business_date), carried, credit_notes)
        tx.result(totals)
    if totals["invoices"]:
        ctx.log.info("%d invoices for periods ending %s", totals["invoices"], ctx.business_date)


def batches(due: Sequence[Row]) -> Iterator[Sequence[Row]]:
    return (due[i : i + CUSTOMERS_AT_ONCE] for i in range(0, len(due), CUSTOMERS_AT_ONCE))


def columns(batch: Sequence[Row]) -> list[list[Any]]:
    """The parameters $2 to $4 of `bill`."""
    return [[row[name] for row in batch] for name in ("period_start", "period_end", "final")]


def result(billed: Sequence[Row], carried: int, credit_notes: int) -> dict[str, Any]:
    """What the run reports; amounts as text, because JSON numbers are not money."""
    return {
        "invoices": sum(row["invoices"] for row in billed),
        "totals": {row["currency"]: str(row["total"]) for row in billed},
        "lines": sum(row["lines"] for row in billed),
        "late_lines": sum(row["late"] for row in billed),
        "carried": carried,
        "credit_notes": credit_notes,
    }
