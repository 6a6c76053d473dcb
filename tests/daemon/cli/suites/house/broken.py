"""Never succeed."""

from daemon import Context, OnDemand, job, seconds


@job(OnDemand(), retries=1, retry_delay=seconds(0.2))
async def broken(ctx: Context) -> None:
    raise ValueError(f"no luck on try {ctx.attempt}")
