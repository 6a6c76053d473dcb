"""Close the books of a day."""

from daemon import CatchUp, Context, Cron, Overlap, Priority, job, minutes


@job(
    Cron("30 2 * * *", tz="Europe/Zurich"), catch_up=CatchUp.EACH(5), overlap=Overlap.QUEUE, aliases=("close-books",),
    sensitive=True, priority=Priority.CRITICAL, timeout=minutes(10),
)  # fmt: skip
async def nightly(ctx: Context) -> dict[str, object]:
    """Close the books of a day."""
    return {"date": str(ctx.logical_date), "args": dict(ctx.args)}
