"""What a person may do to the dead items of a queue: try them again, or give them up. One transaction each, audited."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from daemon.actions_deed import Actor, deed
from daemon.queue import WorkQueue

MOST_DISCARDED = 1000


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which dead items: those of these `keys`, those whose error contains `error`, both, or all of them."""

    keys: Sequence[int] | None = None
    error: str | None = None
    most: int | None = None

    def terms(self) -> tuple[list[int] | None, str | None, int | None]:
        return (None if self.keys is None else list(self.keys), self.error or None, self.most)


async def retry_items(connection: asyncpg.Connection, actor: Actor, queue: WorkQueue, chosen: Chosen) -> list[int]:
    """Dead items are ready again, with all their tries. Returns which were."""
    async with deed(connection, actor, "retry items") as doing:
        rows = await doing.fetch(queue.statements["requeue"], *chosen.terms())
        revived = sorted(row["key"] for row in rows)
        if revived:
            doing.did(queue.name, {"state": "DEAD"}, {"state": "READY", "keys": revived}, f"queue:{queue.name}")
        return revived


async def discard_items(connection: asyncpg.Connection, actor: Actor, queue: WorkQueue, chosen: Chosen) -> list[int]:
    """Dead items leave the queue without having been done, at most MOST_DISCARDED at once. Returns which did; the
    audit keeps each of them whole.
    """
    keys, error, most = chosen.terms()
    async with deed(connection, actor, "discard items") as doing:
        rows = await doing.fetch(queue.statements["discard"], keys, error, min(most or MOST_DISCARDED, MOST_DISCARDED))
        for row in sorted(rows, key=lambda r: int(r["key"])):
            item = json.loads(row["item"])
            doing.did(f"{queue.name} {row['key']}", item, {"discarded": True}, f"queue:{queue.name}")
        return sorted(row["key"] for row in rows)
