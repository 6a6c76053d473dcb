"""What the queue is asked again and again costs no more for all the flights that wait for a later time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from workers.flights.flight_ingestion import QUEUE

PUT_OFF = """
SET session_replication_role = replica;
INSERT INTO flights.flight_processing_queue (flight_id, priority, next_attempt_at)
SELECT n, n % 3, sexton.clock() + make_interval(secs => 100 + n) FROM generate_series(1, 20000) n;
SET session_replication_role = origin;
"""
MOST_ROWS = 100


@pytest.fixture
async def waiting(connection: asyncpg.Connection) -> asyncpg.Connection:
    """A database whose queue is long, and in which nothing is due."""
    await connection.execute(PUT_OFF)
    await connection.execute("VACUUM ANALYZE flights.flight_processing_queue")
    return connection


async def rows_touched(connection: asyncpg.Connection, statement: str, *args: object) -> float:
    """How many rows the server looked at, whether it kept them or not."""
    plan = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", *args)
    return sum(
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        for node in nodes(json.loads(plan)[0]["Plan"])
    )


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes(part)


async def test_a_claim_looks_at_nothing_that_is_not_due(waiting: asyncpg.Connection) -> None:
    claim = QUEUE.statements["claim"].text
    assert await rows_touched(waiting, claim, 500, uuid4()) <= MOST_ROWS
    await waiting.execute(
        "UPDATE flights.flight_processing_queue SET next_attempt_at = sexton.clock() WHERE flight_id = 7"
    )
    assert [row["key"] for row in await waiting.fetch(claim, 500, uuid4())] == [7]


async def test_when_the_next_one_is_due_is_known_without_looking_at_all(waiting: asyncpg.Connection) -> None:
    next_due = QUEUE.statements["next_due"].text
    assert await rows_touched(waiting, next_due) <= MOST_ROWS
    assert 0 < await waiting.fetchval(next_due) <= 101


@pytest.mark.parametrize("priority", [-1, 0, 2, 5])
async def test_the_next_one_due_may_be_of_any_priority(waiting: asyncpg.Connection, priority: int) -> None:
    await waiting.execute(
        "UPDATE flights.flight_processing_queue SET priority = $1, next_attempt_at = sexton.clock() + interval '50 s' "
        "WHERE flight_id = 7", priority,
    )  # fmt: skip
    assert 40 < await waiting.fetchval(QUEUE.statements["next_due"].text) <= 50


async def test_an_empty_queue_has_no_next_one(connection: asyncpg.Connection) -> None:
    assert await connection.fetchval(QUEUE.statements["next_due"].text) is None
