"""Look at every provider's limits once a minute: what is whole again, what is counted here, who may be asked again."""

from __future__ import annotations

from daemon import CatchUp, Context, Every, Priority, days, job, seconds, sql
from workers.tutoring.provider_watch import NoProviderAvailable, decide, pick_provider

(FORGET,) = sql.load(__file__, "forget")


@job(
    Every(seconds(60)),
    priority=Priority.HIGH,
    timeout=seconds(5),
    catch_up=CatchUp.NONE,
    retention=days(7),
    aliases=("rate-limit-monitor",),
)
async def rate_limit_monitor(ctx: Context) -> None:
    """Judge every provider. With `{"forget": "NAME"}`, what is known of that one's limits is forgotten first.

    Raises `ValueError` for a name that is no provider's.
    """
    forget = ctx.args.get("forget")
    async with ctx.completing() as tx:
        if forget is not None and not await tx.execute(FORGET, str(forget), ctx.now()):
            raise ValueError(
                f'{{"forget": {forget!r}}}: there is no such provider; `sexton psql` shows tutoring.ai_provider'
            )
        providers = await decide(ctx, tx, ["minute", "day", "month"])
        try:
            asked: str | None = (await pick_provider(tx, ctx.now())).name
        except NoProviderAvailable:
            asked = None
        tx.result({"asked": asked, "providers": providers})
