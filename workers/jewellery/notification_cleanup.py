"""Delete old notifications that were read. What nobody has read yet stays, however old."""

from __future__ import annotations

from datetime import timedelta

from daemon import CatchUp, Context, Cron, Priority, days, job, minutes, sql
from workers.jewellery.cron_lines import cron_lines
from workers.jewellery.expiry import delete_before, report_deleted

(DELETE_READ,) = sql.load(__file__, "delete_read")


@job(
    Cron("0 2 * * *", tz="Asia/Kolkata"), priority=Priority.LOW, timeout=minutes(15), catch_up=CatchUp.LATEST,
    retention=days(30), aliases=("notification-cleanup",),
)  # fmt: skip
async def notification_cleanup(ctx: Context) -> None:
    """Delete notifications that were read and are over 30 days old."""
    with cron_lines(ctx, "notificationCleanup", "cleanup notifications") as say:
        await delete_before(ctx, DELETE_READ, ctx.now() - timedelta(days=ctx.settings.notification_days))
        say(f"Cleaned up {await report_deleted(ctx)} old notifications")
