"""Remove what is old and of no further use, and move what must be kept to the archives. Money is never touched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from daemon import CatchUp, Context, Cron, Priority, days, job, minutes, sql, tally
from workers.investment.ages import Cutoffs, cutoffs
from workers.investment.settings import Settings

(
    NEWEST_BACKUP, PROCESS_LOGS, SESSIONS, NOTIFICATIONS, COMPLETED_INVESTMENTS, ORPHANS, SYSTEM_SETTINGS, LEFT_BEHIND,
) = sql.load(
    __file__, "newest_backup", "process_logs", "sessions", "notifications", "completed_investments", "orphans",
    "system_settings", "left_behind",
)  # fmt: skip

Arguments = Callable[[Cutoffs, int], Sequence[object]]

STEPS: dict[str, tuple[sql.Statement, Arguments]] = {
    "process_logs": (PROCESS_LOGS, lambda old, most: (old.process_logs, most, old.health_checks)),
    "sessions": (SESSIONS, lambda old, most: (old.sessions, most)),
    "notifications": (NOTIFICATIONS, lambda old, most: (old.notifications, most)),
    "completed_investments": (COMPLETED_INVESTMENTS, lambda old, most: (old.completed_investments, most)),
    "orphans": (ORPHANS, lambda _, most: (most,)),
    "system_settings": (SYSTEM_SETTINGS, lambda old, most: (old.system_settings, most)),
}


class NoBackupError(Exception):
    """There is no verified backup young enough, so nothing was cleaned up."""


@job(
    Cron("0 2 * * *", tz="Asia/Kolkata"),
    priority=Priority.LOW,
    timeout=minutes(10),
    catch_up=CatchUp.LATEST,
    retention=days(30),
    aliases=("data-cleanup",),
)
async def data_cleanup(ctx: Context) -> None:
    """Remove what is old and of no further use, and move what must be kept to the archives."""
    settings: Settings = ctx.settings
    await check_backup(ctx, settings.cleanup.require_backup_within_hours)
    old = cutoffs(ctx.due_at, settings.cleanup)
    begin = list(STEPS).index(ctx.cursor[0]) if ctx.cursor else 0
    for step in list(STEPS)[begin:]:
        gone = 1
        while gone:
            gone = await one_batch(ctx, step, old, settings.cleanup.batch)
    async with ctx.completing() as tx:
        left = await tx.fetchrow(LEFT_BEHIND, old.notifications, old.completed_investments)
        assert left is not None
        counts = await tally.take(tx, ctx.run_id, STEPS)
        tx.result(counts | {"left_behind": dict(left)})


async def one_batch(ctx: Context, step: str, old: Cutoffs, most: int) -> int:
    """Commit one batch of a step; how many rows it was. It is tallied in the same transaction, so that the report
    of the last try has what earlier ones removed."""
    statement, arguments = STEPS[step]
    batch = ctx.cursor[1] + 1 if ctx.cursor else 1
    async with ctx.transaction(cursor=[step, batch]) as tx:
        gone: int = await tx.fetchval(statement, *arguments(old, most))
        await tally.add(tx, ctx.run_id, step, gone)
    return gone


async def check_backup(ctx: Context, within_hours: int | None) -> None:
    """Raises `NoBackupError` when one is wanted and there is none that young: of ours, or of those that somebody else
    made, verified and entered.
    """
    if within_hours is None:
        return
    async with ctx.snapshot() as reader:
        entered: datetime | None = await reader.fetchval(NEWEST_BACKUP, ctx.now())
    ours = await ctx.backups.newest_verified()
    known = [entered, ours.taken_at if ours is not None else None]
    newest = max((at for at in known if at is not None), default=None)
    if newest is None or ctx.now() - newest > timedelta(hours=within_hours):
        raise NoBackupError(
            f"the newest verified backup is {f'of {newest:%Y-%m-%d %H:%M %Z}' if newest else 'none'}, and "
            f"suite.investment.cleanup.require_backup_within_hours is {within_hours}: nothing was cleaned up. "
            "Make one (sexton backup create), or add one that was verified elsewhere to "
            "investment.verified_backup; then: sexton retry"
        )
