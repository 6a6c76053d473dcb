"""Back up the whole database, prove the backup by restoring it, and let old ones leave."""

from __future__ import annotations

from typing import Any

from daemon import CatchUp, Context, Cron, Priority, days, hours, job, minutes


@job(
    Cron("0 3 * * *", tz="UTC"),
    priority=Priority.CRITICAL,
    timeout=hours(1),
    expected=minutes(30),
    catch_up=CatchUp.LATEST,
    requires=("tutoring.usage_analysis",),
    retention=days(366),
    aliases=("automated-backup",),
)
async def automated_backup(ctx: Context) -> dict[str, Any]:
    """Back up the whole database, prove the backup by restoring it, and let old ones leave."""
    made = await ctx.backups.create(since=ctx.due_at)
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
