"""Give pieces back to whoever wants to buy them: locks of checkouts that were not finished in time."""

from __future__ import annotations

from daemon import CatchUp, Context, Cron, Priority, days, job, minutes, sql
from workers.jewellery.cron_lines import cron_lines
from workers.jewellery.expiry import delete_before, report_deleted

(DELETE_EXPIRED,) = sql.load(__file__, "delete_expired")


@job(
    Cron("*/5 * * * *", tz="Asia/Kolkata"), priority=Priority.HIGH, timeout=minutes(4), catch_up=CatchUp.LATEST,
    retention=days(30), aliases=("cleanup-expired-locks", "lastCleanup/inventoryCleanup"),
)  # fmt: skip
async def cleanup_expired_locks(ctx: Context) -> None:
    """Delete locks that have expired."""
    with cron_lines(ctx, "cleanupExpiredLocks", "cleanup inventory locks") as say:
        await delete_before(ctx, DELETE_EXPIRED, ctx.now())
        if deleted := await report_deleted(ctx):
            say(f"Cleaned up {deleted} expired inventory locks")
