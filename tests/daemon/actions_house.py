"""Jobs, rows and listeners that the tests of actions have in common."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from daemon.actions_deed import Actor
from daemon.catchup import CatchUp
from daemon.job import Context, Job, Overlap
from daemon.schedule import Cron, Every, OnDemand
from tests.daemon.harness import a_job

ANN = Actor("ann", "cli", "because")
DUE = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)


async def body(ctx: Context) -> dict[str, str]:
    return {"date": str(ctx.logical_date), "trigger": "any"}


MONEY = a_job(
    body, Cron("30 2 * * *", "Europe/Zurich"), "test.money", catch_up=CatchUp.EACH(9), overlap=Overlap.QUEUE,
    sensitive=True,
)  # fmt: skip
TICK = a_job(body, Every(3600), "test.tick")
HAND = a_job(body, OnDemand(), "test.hand")
AFTER = a_job(
    body, Cron("0 6 * * *"), "test.after", catch_up=CatchUp.EACH(9), overlap=Overlap.QUEUE, requires=("test.money",)
)
JOBS = {job.name: job for job in (MONEY, TICK, HAND, AFTER)}


async def add_run(connection: asyncpg.Connection, job: Job, state: str, day: int = 0, **columns: Any) -> int:
    """A row as the engine could have left it; returns its id."""
    due = DUE + timedelta(days=day)
    row: dict[str, Any] = {
        "job": job.name, "due_at": due, "logical_date": due.date(), "trigger": "schedule", "state": state,
        "reason": "a test" if state in ("held", "skipped", "missed", "cancelled") else None, "not_before": due,
        "strict": job.catch_up.is_each, "daily": True, **columns,
    }  # fmt: skip
    await connection.execute(
        "INSERT INTO sexton.job (name, schedule_fingerprint, evaluated_until) VALUES ($1, 'disabled', sexton.clock()) "
        "ON CONFLICT DO NOTHING", job.name,
    )  # fmt: skip
    names, places = ", ".join(row), ", ".join(f"${n}" for n in range(1, len(row) + 1))
    run: int = await connection.fetchval(
        f"INSERT INTO sexton.run ({names}) VALUES ({places}) RETURNING id", *row.values()
    )
    return run


async def run_of(connection: asyncpg.Connection, run: int) -> asyncpg.Record:
    row = await connection.fetchrow("SELECT * FROM sexton.run WHERE id = $1", run)
    assert row is not None
    return row


async def audit(connection: asyncpg.Connection) -> list[dict[str, Any]]:
    rows = await connection.fetch(
        "SELECT who, origin, action, target, reason, before, after FROM sexton.audit ORDER BY id"
    )
    return [
        {**row, "before": json.loads(row["before"] or "null"), "after": json.loads(row["after"] or "null")}
        for row in rows
    ]


async def news(heard: list[str], wanted: str) -> None:
    async with asyncio.timeout(60):
        while wanted not in heard:
            await asyncio.sleep(0.01)
