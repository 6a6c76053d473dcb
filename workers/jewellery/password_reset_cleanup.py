"""Delete tokens for new passwords that have expired: nobody can use them, and nobody should find them."""

from __future__ import annotations

from daemon import CatchUp, Context, Cron, Priority, days, job, minutes, sql
from workers.jewellery.cron_lines import cron_lines
from workers.jewellery.expiry import delete_before, report_deleted

(DELETE_EXPIRED,) = sql.load(__file__, "delete_expired")


@job(
    Cron("0 * * * *", tz="Asia/Kolkata"), priority=Priority.MEDIUM, timeout=minutes(5), catch_up=CatchUp.LATEST,
    retention=days(30), aliases=("password-reset-cleanup",),
)  # fmt: skip
async def password_reset_cleanup(ctx: Context) -> None:
    """Delete tokens for new passwords that have expired."""
    with cron_lines(ctx, "passwordResetCleanup", "cleanup password resets") as say:
        await delete_before(ctx, DELETE_EXPIRED, ctx.now())
        if deleted := await report_deleted(ctx):
            say(f"Cleaned up {deleted} expired password reset tokens")
