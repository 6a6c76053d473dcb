"""Find out what became of payments that no webhook has told of, and see that it is the same as if one had."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime, timedelta
from typing import Any

from daemon import CatchUp, Context, Cron, Priority, Transaction, days, job, minutes, seconds, sql
from workers.jewellery.cron_lines import cron_lines
from workers.jewellery.razorpay import Razorpay, TooManyRequests
from workers.jewellery.reconciliation import Pass
from workers.jewellery.settings import Settings

STALE, PAUSED_UNTIL, PAUSE, UNPAUSE, FORGET_EVENTS = sql.load(
    __file__, "stale", "paused_until", "pause", "unpause", "forget_events"
)

STALE_AFTER = minutes(10)
PASS = minutes(8)
"""No question is asked after that: the last answers are written within the timeout."""
MOST_IN_A_PASS = 100_000
FIRST_PAUSE, LONGEST_PAUSE = seconds(60), minutes(60)


@job(
    Cron("*/10 * * * *", tz="Asia/Kolkata"), priority=Priority.HIGH, timeout=minutes(9), catch_up=CatchUp.LATEST,
    connections=3, retention=days(30),
    aliases=("webhook-timeout-handler", "lastPaymentRetry/paymentRetries"),
)  # fmt: skip
async def webhook_timeout_handler(ctx: Context) -> None:
    """Ask the provider about payments that have been open for over ten minutes."""
    with cron_lines(ctx, "webhookTimeoutHandler", "handle stale payments") as say:
        result = await ask(ctx)
        if result.get("payment_retries"):
            say("Asked about {payment_retries} stale payments: {recovered} recovered, {failed} failed".format(**result))


async def ask(ctx: Context) -> dict[str, Any]:
    """Complete the run; its result."""
    settings: Settings = ctx.settings
    if not settings.razorpay.key_id:
        ctx.log.warning("nobody is asked about payments: razorpay.key_id is not set")
        return await complete(ctx, {"checked": 0, "not_configured": True})
    async with ctx.snapshot() as reader:
        until: datetime | None = await reader.fetchval(PAUSED_UNTIL)
        most = min(MOST_IN_A_PASS, max(1, int(settings.razorpay.per_second * PASS.total_seconds())))
        stale = await reader.fetch(STALE, ctx.now() - STALE_AFTER, ctx.now(), most)
    if until is not None and until > ctx.now():
        return await complete(ctx, {"checked": 0, "rate_limited": 0, "paused_until": until})
    run = Pass(ctx, iter(stale), until=asyncio.get_running_loop().time() + PASS.total_seconds())
    async with Razorpay(settings.razorpay, run.pace) as provider:
        await run.run(provider)
    return await complete(ctx, report(run, len(stale)), run)


async def complete(ctx: Context, result: dict[str, Any], run: Pass | None = None) -> dict[str, Any]:
    """Old events go whether anybody could be asked or not."""
    async with ctx.completing() as tx:
        if run is not None:
            await note_refusal(tx, run.refused, ctx.now())
        before = ctx.now() - timedelta(days=ctx.settings.webhook_retention_days)
        whole = {**result, "events_forgotten": await tx.execute(FORGET_EVENTS, before)}
        tx.result(whole)
    return whole


def report(run: Pass, stale: int) -> dict[str, int]:
    """`left`: stale ones that this pass did not come to. `payment_retries`: how often the provider was asked."""
    names = ("checked", "recovered", "failed", "review", "expired", "refunded", "authorized", "refused", "skipped")
    counts = {name: run.counts[name] for name in names}
    asked = counts["checked"] + counts["skipped"]
    return {
        **counts, "rate_limited": int(run.refused is not None), "payment_retries": asked,
        "left": max(stale - asked, 0),
    }  # fmt: skip


async def note_refusal(tx: Transaction, refused: TooManyRequests | None, now: datetime) -> None:
    """As long as the provider wants; where it does not say, longer each time, and not all shops at the same moment."""
    if refused is None:
        await tx.execute(UNPAUSE)
        return
    asked = None if refused.retry_after is None else timedelta(seconds=min(refused.retry_after, 86_400))
    jitter = random.uniform(0.8, 1.2)  # noqa: S311 - nothing is secret about it
    await tx.execute(PAUSE, now, asked, FIRST_PAUSE * jitter, LONGEST_PAUSE)
