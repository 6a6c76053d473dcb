"""Work out anew what the AI should know of a student, where the student has been active since."""

from __future__ import annotations

from datetime import datetime, timedelta

from daemon import CatchUp, Context, Cron, Priority, days, job, minutes, sql, tally
from workers.tutoring.settings import Settings

STOPS, REFRESH = sql.load(__file__, "stops", "refresh")

COUNTED = ("refreshed", "unchanged")


@job(
    Cron("0 4 * * *", tz="UTC"),
    priority=Priority.MEDIUM,
    timeout=minutes(15),
    catch_up=CatchUp.LATEST,
    requires=("tutoring.automated_backup",),
    retention=days(30),
    aliases=("profile-refresh",),
)
async def profile_refresh(ctx: Context) -> None:
    """Work out anew what the AI should know of a student, where the student has been active since."""
    settings: Settings = ctx.settings
    since = ctx.due_at - timedelta(days=settings.profiles.look_back_days)
    async with ctx.snapshot() as reader:
        stops: list[int] = await reader.fetchval(STOPS, ctx.due_at, ctx.cursor or 0, settings.profiles.page)
    for n, stop in enumerate(stops):
        await one_page(ctx, since, stop)
        await ctx.progress(n + 1, len(stops))
    async with ctx.completing() as tx:
        tx.result(await tally.take(tx, ctx.run_id, COUNTED))


async def one_page(ctx: Context, since: datetime, stop: int) -> None:
    """The students after the cursor up to `stop`."""
    above = ctx.cursor or 0
    async with ctx.transaction(cursor=stop) as tx:
        page = await tx.fetchrow(REFRESH, ctx.due_at, above, stop, since)
        assert page is not None
        for what in COUNTED:
            await tally.add(tx, ctx.run_id, what, page[what])
