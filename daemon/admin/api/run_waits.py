"""Why a run has not begun, in sentences: the dependencies, runs and instants that it waits for."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import asyncpg

from daemon import ledger, sql
from daemon.catalogue import Catalogue
from daemon.job import Job

(IN_THE_WAY,) = sql.load(str(Path(__file__).with_name("runs.py")), "in_the_way")


async def waits_for(
    connection: asyncpg.Connection, catalogue: Catalogue, run: asyncpg.Record, now: datetime
) -> list[str]:
    """Empty for a run that has begun or ended."""
    job = catalogue.jobs.get(run["job"])
    if run["state"] == "waiting" and job is not None:
        return await _dependencies(connection, job, run)
    if run["state"] == "held":
        return [f"a person: {run['reason']}"]
    if run["state"] != "ready":
        return []
    found = [] if job is not None else [f"a node that knows {run['job']}"]
    if run["not_before"] > now:
        found.append(f"its next try, at {run['not_before'].isoformat()}")
    return found + [_obstacle(row) for row in await connection.fetch(IN_THE_WAY.text, run["id"])]


async def _dependencies(connection: asyncpg.Connection, job: Job, run: asyncpg.Record) -> list[str]:
    names, day = [*job.requires, *job.after], run["logical_date"]
    rows = await connection.fetch(ledger.DEPENDENCY_OUTCOMES.text, names, [day] * len(names))
    outcomes = {row["job"]: row for row in rows}
    return [
        f"{name} of {day}, which is {outcomes[name]['state']} (run {outcomes[name]['id']})" if name in outcomes
        else f"{name} of {day}, which has no run yet"
        for name in names
    ]  # fmt: skip


def _obstacle(row: asyncpg.Record) -> str:
    if row["running"]:
        return f"run {row['id']} of the same job, which goes on ({row['state']})"
    return f"run {row['id']}, due at {row['due_at'].isoformat()}, which is {row['state']}: it comes first"
