"""Tell each student who was active what the week before this Sunday was like."""

from __future__ import annotations

from datetime import date, timedelta

from daemon import CatchUp, Context, Cron, Overlap, Priority, days, hours, job, sql, tally
from workers.tutoring.settings import Settings
from workers.tutoring.summary_sentences import add_sentences

STOPS, WRITE = sql.load(__file__, "stops", "write")

COUNTED = ("written", "skipped", "ai", "ai_fallback")
PAGE = ("written", "skipped")


@job(
    Cron("0 0 * * 0", tz="UTC"),
    priority=Priority.MEDIUM,
    timeout=hours(1),
    catch_up=CatchUp.EACH(8),
    overlap=Overlap.QUEUE,
    requires=("tutoring.daily_memory_cleanup",),
    retention=days(366),
    aliases=("weekly-summary-generation",),
)
async def weekly_summary_generation(ctx: Context) -> None:
    """Tell each student who was active what the week before this Sunday was like."""
    settings: Settings = ctx.settings
    week = week_before(ctx.logical_date)
    done = ctx.cursor or {"written_after": 0}
    if "written_after" in done:
        async with ctx.snapshot() as reader:
            stops: list[int] = await reader.fetchval(STOPS, *week, done["written_after"], settings.summaries.page)
        for n, stop in enumerate(stops):
            await one_page(ctx, week, stop)
            await ctx.progress(n + 1, len(stops))
    await add_sentences(ctx, week[0], done.get("sentences_after", 0))
    async with ctx.completing() as tx:
        tx.result({"week_start": week[0].isoformat(), **await tally.take(tx, ctx.run_id, COUNTED)})


def week_before(day: date) -> tuple[date, date]:
    """The Sunday that began the last whole week, and the one that ended it: the newest that has begun on `day`."""
    sunday = day - timedelta(days=day.isoweekday() % 7)
    return sunday - timedelta(days=7), sunday


async def one_page(ctx: Context, week: tuple[date, date], stop: int) -> None:
    """The students after the cursor up to `stop`."""
    above = ctx.cursor["written_after"] if ctx.cursor else 0
    async with ctx.transaction(cursor={"written_after": stop}) as tx:
        page = await tx.fetchrow(WRITE, *week, above, stop)
        assert page is not None
        for what in PAGE:
            await tally.add(tx, ctx.run_id, what, page[what])
