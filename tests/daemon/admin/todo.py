"""A queue for tests of the admin, with items of every state."""

from __future__ import annotations

import asyncpg

from daemon.queue import WorkQueue

QUEUE = WorkQueue("public.todo", key="id")
TABLE = """
    CREATE TABLE IF NOT EXISTS public.todo (
        id bigint PRIMARY KEY, state text NOT NULL DEFAULT 'READY', priority int NOT NULL DEFAULT 0,
        enqueued_at timestamptz NOT NULL DEFAULT sexton.clock(),
        next_attempt_at timestamptz NOT NULL DEFAULT sexton.clock(),
        attempts int NOT NULL DEFAULT 0, failures int NOT NULL DEFAULT 0, rescues int NOT NULL DEFAULT 0, token bigint,
        lease_owner uuid, last_error text, payload text
    )
"""


async def fill(connection: asyncpg.Connection, dead: int = 5, ready: int = 2) -> None:
    """Items 1 to `dead` were given up, the even ones for want of tea; those after them are ready."""
    await connection.execute(TABLE)
    await connection.execute(
        "INSERT INTO public.todo (id, state, failures, last_error, payload) "
        "SELECT n, 'DEAD', 5, CASE WHEN n % 2 = 0 THEN 'OutOfTea: 100% empty' ELSE 'BrokenCup' END, 'item ' || n "
        "FROM generate_series(1, $1) n",
        dead,
    )
    await connection.execute("INSERT INTO public.todo (id) SELECT $1 + n FROM generate_series(1, $2) n", dead, ready)
