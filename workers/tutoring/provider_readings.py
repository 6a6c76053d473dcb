"""Read what providers' answers say of their limits, the moment somebody reports one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

from daemon import Context, Priority, QueueItem, Transaction, WorkQueue, days, poll, seconds, sql
from workers.tutoring.provider_headers import Answer, levels
from workers.tutoring.provider_watch import Said, decide, keep_levels

QUEUE = WorkQueue("tutoring.provider_reading", key="reading_id")
(READING,) = sql.load(__file__, "reading")
Read = list[Said]
PAUSE_S, MOST_PASSES = 0.1, 100
"""While readings keep coming, one run looks again so often: else each reading of a busy application were a run."""


@poll(seconds(60), wake=QUEUE, timeout=seconds(30), priority=Priority.HIGH, connections=3, retention=days(2))
async def provider_readings(ctx: Context) -> dict[str, int] | None:
    """Keep the levels of all readings there are, and judge every provider anew in the same transaction."""

    async def perform(item: QueueItem) -> Read:
        async with ctx.snapshot() as reader:
            row = await reader.fetchrow(READING, item.key)
        if row is None:
            return []
        answer = Answer(row["observed_at"], row["http_status"], named(row["headers"]), decoded(row["body"]))
        return [(row["provider_id"], answer.at, level) for level in levels(row["kind"], answer)]

    async def save(tx: Transaction, done: Sequence[tuple[QueueItem, Read]]) -> None:
        said = [found for _, read in done for found in read]
        await keep_levels(tx, said)
        await decide(ctx, tx, ["minute", "day"], said)

    counts = {"done": 0, "failed": 0, "dead": 0}
    for _ in range(MOST_PASSES):
        before = sum(counts.values())
        async for drained in ctx.drain(QUEUE, perform, save):
            counts["done"] += drained.done
            counts["failed"] += drained.failed
            counts["dead"] += drained.dead
        if sum(counts.values()) == before:
            break
        await asyncio.sleep(PAUSE_S)
    return counts if any(counts.values()) else None


def named(headers: str) -> Mapping[str, str]:
    """Lower-case names. Values that are not text say nothing."""
    return {name.lower(): value for name, value in json.loads(headers).items() if isinstance(value, str)}


def decoded(body: str | None) -> Any:
    return None if body is None else json.loads(body)
