"""The least a durable queue can do: claim a batch, delete it, repeat. No node, no fence, no retry."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict
from typing import Any

import asyncpg

from bench.measure import Spread

BATCH = 500
ENQUEUE = "INSERT INTO bench.queue (item_id) SELECT generate_series(1, $1::int)"
CLAIM = """
WITH picked AS (
    SELECT item_id FROM bench.queue WHERE state = 'READY' AND next_attempt_at <= now()
    ORDER BY priority, next_attempt_at, item_id LIMIT $1 FOR UPDATE SKIP LOCKED)
UPDATE bench.queue q SET state = 'RUNNING', attempts = attempts + 1 FROM picked p WHERE q.item_id = p.item_id
RETURNING q.item_id"""
FINISH = "DELETE FROM bench.queue WHERE item_id = ANY($1::bigint[])"
TAKE = """
WITH picked AS (
    SELECT item_id FROM bench.queue WHERE state = 'READY' AND next_attempt_at <= now()
    ORDER BY priority, next_attempt_at, item_id LIMIT $1 FOR UPDATE SKIP LOCKED)
DELETE FROM bench.queue q USING picked p WHERE q.item_id = p.item_id RETURNING q.item_id"""
LEFT = "SELECT count(*) FROM bench.queue"


async def no_op(_: int) -> int:
    return 1


async def throughput(url: str, items: int) -> dict[str, Any]:
    connection = await asyncpg.connect(url)
    await connection.execute(ENQUEUE, items)
    began = time.perf_counter()
    while rows := await connection.fetch(CLAIM, BATCH):
        for row in rows:
            await no_op(row["item_id"])
        await connection.execute(FINISH, [row["item_id"] for row in rows])
    took = time.perf_counter() - began
    left = await connection.fetchval(LEFT)
    await connection.close()
    return {"seconds": took, "left": left}


async def one_statement(url: str, items: int) -> dict[str, Any]:
    connection = await asyncpg.connect(url)
    await connection.execute(ENQUEUE, items)
    began = time.perf_counter()
    while rows := await connection.fetch(TAKE, BATCH):
        for row in rows:
            await no_op(row["item_id"])
    took = time.perf_counter() - began
    left = await connection.fetchval(LEFT)
    await connection.close()
    return {"seconds": took, "left": left}


async def latency(url: str, picks: int) -> dict[str, Any]:
    """Insert and notify on one connection; hear it, claim, and begin on another."""
    producer, consumer = await asyncpg.connect(url), await asyncpg.connect(url)
    heard = asyncio.Event()
    await consumer.add_listener("sexton", lambda *_: heard.set())
    samples = []
    for key in range(picks + 10):
        heard.clear()
        began = time.perf_counter()
        inserting = asyncio.create_task(producer.execute("INSERT INTO bench.queue (item_id) VALUES ($1)", key))
        await heard.wait()
        (row,) = await consumer.fetch(CLAIM, 1)
        samples.append((time.perf_counter() - began) * 1000)  # here a body would begin
        await consumer.execute(FINISH, [row["item_id"]])
        await inserting
        await asyncio.sleep(0.01)
    await producer.close()
    await consumer.close()
    return asdict(Spread.of(samples[10:]))
