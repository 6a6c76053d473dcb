"""How people work: at which hours, for how long, how steadily, with what, and whether it grows."""

from __future__ import annotations

from datetime import datetime, timedelta

from daemon import CatchUp, Context, Cron, Priority, job, minutes, sql, tally
from workers.productivity import many_people
from workers.productivity.local_days import local_days

WATERMARK, NEXT_USERS, DESCRIBE, SET_WATERMARK = sql.load(
    __file__, "watermark", "next_users", "describe", "set_watermark"
)

AT_ONCE = 2_000
WINDOW_DAYS = 28


@job(
    Cron("0 */6 * * *", tz="UTC"),
    priority=Priority.LOW,
    timeout=minutes(60),
    catch_up=CatchUp.LATEST,
    aliases=("analytics/userBehavior",),
)
async def user_behavior(ctx: Context) -> None:
    """Describe everybody whose sessions changed since the run before, by their last 28 days."""
    now, after = begun(ctx)
    async with ctx.snapshot() as reader:
        since: datetime | None = await reader.fetchval(WATERMARK)
    calendar = await local_days(ctx)
    zone_days = await calendar.days((now - timedelta(days=WINDOW_DAYS + 2)).date(), WINDOW_DAYS + 4)
    offsets = await calendar.offsets(now - timedelta(days=WINDOW_DAYS + 3), now + timedelta(days=1))
    while True:
        async with ctx.snapshot() as reader:
            batch = await reader.fetchrow(NEXT_USERS, after, since, AT_ONCE, now - timedelta(days=WINDOW_DAYS + 2))
        if batch is None or batch["ids"] is None:
            break
        after = batch["last"]
        async with ctx.transaction(cursor=[now.isoformat(), after]) as tx:
            await tx.execute(many_people.SET_UP)
            described: int = await tx.fetchval(DESCRIBE, batch["ids"], now, zone_days, offsets)
            await tally.add(tx, ctx.run_id, "described", described)
        await ctx.progress(after)
    async with ctx.completing() as tx:
        await tx.execute(SET_WATERMARK, now)
        tx.result(await tally.take(tx, ctx.run_id, ["described"]))


def begun(ctx: Context) -> tuple[datetime, int]:
    """As of when, and after which user: a later try goes on as of the first one's instant, so that what changed
    between them is the next run's."""
    if ctx.cursor is None:
        return ctx.now(), 0
    at, last = ctx.cursor
    return datetime.fromisoformat(at), last
