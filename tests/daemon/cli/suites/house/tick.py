"""Beat slowly."""

from daemon import Context, Every, job


@job(Every(3600))
async def tick(ctx: Context) -> dict[str, int]:
    return {"n": 1}
