"""How well the suite's own work goes: its jobs, the database, what waits."""

from __future__ import annotations

import time
from datetime import timedelta
from statistics import median

from daemon import CatchUp, Context, Cron, Priority, Reader, days, job, minutes, sql

MEASURES, PING, KEEP, JUDGE = sql.load(__file__, "measures", "ping", "keep", "judge")

PINGS = 5


@job(
    Cron("0 * * * *", tz="UTC"),
    priority=Priority.LOW,
    timeout=minutes(2),
    catch_up=CatchUp.NONE,
    max_lateness=timedelta(minutes=30),
    retention=days(30),
    aliases=("analytics/performanceMetrics",),
)
async def performance_metrics(ctx: Context) -> None:
    """Sample the suite's jobs, the database's answer and what waits; an hour that was missed has no sample."""
    async with ctx.snapshot() as reader:
        found = {row["metric"]: float(row["value"]) for row in await reader.fetch(MEASURES, ctx.now())}
        found["database_ms"] = await answer_ms(reader)
    hour = ctx.due_at.replace(minute=0, second=0, microsecond=0)
    async with ctx.completing() as tx:
        await tx.execute(KEEP, hour, list(found), list(found.values()))
        unusual: list[str] = await tx.fetchval(JUDGE, hour)
        tx.result({"samples": {name: round(value, 4) for name, value in sorted(found.items())}, "unusual": unusual})


async def answer_ms(reader: Reader) -> float:
    """The median time of a statement that does nothing, there and back, in milliseconds."""
    took = []
    for _ in range(PINGS):
        began = time.perf_counter()
        await reader.fetchval(PING)
        took.append(time.perf_counter() - began)
    return median(took) * 1000
