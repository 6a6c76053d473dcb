"""The least that is durable: a heap, and for each second one batch insert, one batch claim, one batch finish."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg

from bench.lateness_window import Window

TABLE = """
CREATE TABLE limit_run (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, job text NOT NULL, due_at timestamptz NOT NULL,
    state text NOT NULL, started_at timestamptz, finished_at timestamptz, UNIQUE (job, due_at)
) WITH (fillfactor = 70);
CREATE INDEX limit_run_ready ON limit_run (due_at, id) WHERE state = 'ready'"""
INSERT = "INSERT INTO limit_run (job, due_at, state) SELECT *, 'ready' FROM unnest($1::text[], $2::timestamptz[])"
CLAIM = """
WITH picked AS (SELECT id FROM limit_run WHERE state = 'ready' ORDER BY due_at, id LIMIT $1 FOR UPDATE SKIP LOCKED)
UPDATE limit_run r SET state = 'running', started_at = clock_timestamp() FROM picked p WHERE r.id = p.id
RETURNING r.id, r.job, r.due_at"""
FINISH = "UPDATE limit_run SET state = 'succeeded', finished_at = clock_timestamp() WHERE id = ANY($1::bigint[])"
DONE = "SELECT count(*) FROM limit_run WHERE state = 'succeeded' AND extract(epoch FROM due_at) BETWEEN $1 AND $2"


async def main(url: str, postgres: int, jobs: int, period: int, instants: int) -> dict[str, Any]:
    connection = await asyncpg.connect(url)
    await connection.execute(TABLE)
    starts: list[tuple[float, datetime]] = []

    async def body(due_at: datetime) -> None:
        starts.append((time.time(), due_at))

    window = Window(period, instants, postgres)
    heap = [(float(window.first), f"job_{n:05}") for n in range(jobs)]
    heapq.heapify(heap)
    await one_second(connection, body, [])  # prepares the statements
    await window.begin()
    while heap[0][0] <= window.last:
        await asyncio.sleep(max(heap[0][0] - time.time(), 0))
        due = []
        now = time.time()
        while heap[0][0] <= now:
            at, name = heap[0]
            heapq.heapreplace(heap, (at + period, name))
            due.append((name, datetime.fromtimestamp(at, UTC)))
        await one_second(connection, body, due)
    await asyncio.sleep(max(window.last + period * 0.8 - time.time(), 0))
    done = await connection.fetchval(DONE, window.first, window.last)
    lateness = [at - due_at.timestamp() for at, due_at in starts]
    result = window.result(lateness, jobs * instants - done)
    await connection.close()
    return result


async def one_second(connection: asyncpg.Connection, body: Any, due: Sequence[tuple[str, datetime]]) -> None:
    await connection.execute(INSERT, [name for name, _ in due], [at for _, at in due])
    rows = await connection.fetch(CLAIM, len(due) or 1)
    for row in rows:
        await body(row["due_at"])
    await connection.execute(FINISH, [row["id"] for row in rows])
