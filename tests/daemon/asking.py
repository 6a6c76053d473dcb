"""Runs that a test puts into the ledger by itself, and looks at the ledger."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import asyncpg

from daemon.sql import Statement

RUNS = "SELECT * FROM sexton.run ORDER BY due_at, id"


def statement(text: str) -> Statement:
    """SQL of a test's own, as a body would have it from its `.sql` file."""
    return Statement("test", text, "test")


async def ask(
    connection: asyncpg.Connection,
    job: str,
    *,
    due_at: datetime | None = None,
    day: date | None = None,
    state: str = "ready",
    trigger: str = "manual",
    args: str = "{}",
    **columns: Any,
) -> int:
    """A run of a job, as a person or a tick would insert it; the nodes are told. Returns its id."""
    names = "".join(f", {name}" for name in columns)
    values = "".join(f", ${n}" for n in range(7, 7 + len(columns)))
    run: int = await connection.fetchval(
        "INSERT INTO sexton.run (job, due_at, logical_date, trigger, state, not_before, args"
        f"{names}) VALUES ($1, coalesce($2, sexton.clock()), coalesce($3, current_date), $4, $5, "
        f"coalesce($2, sexton.clock()), $6::jsonb{values}) RETURNING id",
        job, due_at, day, trigger, state, args, *columns.values(),
    )  # fmt: skip
    await connection.execute("SELECT pg_notify('sexton', 'ready')")
    return run


async def the_run(connection: asyncpg.Connection, run: int) -> dict[str, Any]:
    return dict(await connection.fetchrow("SELECT * FROM sexton.run WHERE id = $1", run) or {})
