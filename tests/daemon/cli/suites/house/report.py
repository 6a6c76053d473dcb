"""Tell of the closed books."""

from daemon import Context, Cron, job


@job(Cron("0 6 * * *", tz="UTC"), requires=("house.nightly",))
async def report(ctx: Context) -> dict[str, object]:
    return {"trigger": "any", "date": str(ctx.logical_date)}
