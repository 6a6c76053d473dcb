"""Back up the whole database, prove the backup by restoring it, and let old ones leave."""

from __future__ import annotations

from typing import Any

from daemon import CatchUp, Context, Cron, Priority, days, hours, job, minutes

CLOCKS_DIFFER = hours(1)
"""At most, between the server, which dates backups, and this node."""


@job(
    Cron("0 3 * * *", tz="UTC"),
    priority=Priority.CRITICAL,
    timeout=minutes(30),
    catch_up=CatchUp.LATEST,
    requires=("tutoring.usage_analysis",),
    retention=days(366),
    aliases=("automated-backup",),
)
async def automated_backup(ctx: Context) -> dict[str, Any]:
    """Back up the whole database, prove the backup by restoring it, and let old ones leave."""
    made = await ctx.backups.newest_verified()
    # One since then is an earlier try's, which failed afterwards; one of the future is of a clock that was wrong.
    if made is None or not ctx.due_at <= made.taken_at <= ctx.now() + CLOCKS_DIFFER:
        made = await ctx.backups.create()
    gone = await ctx.backups.prune()
    return {
        "name": made.name,
        "tables": made.tables,
        "rows": made.rows,
        "bytes": made.bytes,
        "sha256": made.sha256,
        "verified_at": made.verified_at.isoformat() if made.verified_at else None,
        "pruned": [backup.name for backup in gone],
    }
