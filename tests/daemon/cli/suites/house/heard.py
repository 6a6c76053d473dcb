"""Answer to an event."""

from daemon import Context, on


@on("thing.happened")
async def heard(ctx: Context) -> dict[str, object]:
    return dict(ctx.args)
