"""Mark unpaid invoices overdue once their due day and days of grace are over where the customer is."""

from __future__ import annotations

from daemon import CatchUp, Context, Cron, Priority, days, job, minutes, sql

(MARK_OVERDUE,) = sql.load(__file__, "mark_overdue")


@job(
    Cron("0 * * * *"),
    priority=Priority.HIGH,
    timeout=minutes(2),
    catch_up=CatchUp.LATEST,
    retention=days(8 * 366),
    aliases=("invoice-overdue",),
)
async def invoice_overdue(ctx: Context) -> None:
    """Mark unpaid invoices overdue once their due day and days of grace are over where the customer is."""
    async with ctx.completing() as tx:
        rows = await tx.fetch(MARK_OVERDUE, ctx.due_at)
        overdue = sum(row["invoices"] for row in rows)
        tx.result({"overdue": overdue, "totals": {row["currency"]: str(row["total"]) for row in rows}})
    if overdue:
        ctx.log.info("%d invoices became overdue", overdue)
