"""`sexton runs`: what ran, runs and will not run, the newest first."""

from __future__ import annotations

import json
from typing import Any

import asyncpg

from daemon import in_words, sql
from daemon.catalogue import Catalogue, UnknownJob
from daemon.cli import output
from daemon.cli.common import BadUsage, Invocation, run_async
from daemon.cli.database import GLANCE, connected
from daemon.naming import did_you_mean

(RUNS, RUNS_OF_JOB, KNOWN_BY_LEDGER) = sql.load(__file__, "runs", "runs_of_job", "known_by_ledger")

STATES = ("waiting", "held", "ready", "running", "succeeded", "failed", "skipped", "missed", "cancelled")
MOST = 100_000


def show_runs(invocation: Invocation, name: str | None, state: str | None, limit: int, *, as_json: bool) -> int:
    """Print the latest runs, newest first."""
    if state is not None and state not in STATES:
        nearest = did_you_mean(state, STATES) or f"; there are {output.listed(STATES)}"
        raise BadUsage(f"--state {state}: no such state{nearest}")
    if not 1 <= limit <= MOST:
        raise BadUsage(f"--limit {limit}: choose between 1 and {MOST}")
    settings, catalogue = invocation.settings, invocation.catalogue

    async def ask() -> list[asyncpg.Record]:
        async with connected(settings, patience=GLANCE) as (connection, _):
            if name is None:
                return await connection.fetch(RUNS.text, state, limit)
            job = await known_name(connection, catalogue, name)
            return await connection.fetch(RUNS_OF_JOB.text, state, limit, job)

    rows = run_async(ask)
    headings = ("run", "job", "due (UTC)", "trigger", "state", "try", "took", "why")
    output.listing(rows, described, headings, _row, as_json=as_json, none="no such runs")
    return 0


async def known_name(connection: asyncpg.Connection, catalogue: Catalogue, name: str) -> str:
    """The job's own name for a name or alias, or for one that only the ledger remembers. Raises `UnknownJob`."""
    try:
        return catalogue.resolve(name).name
    except UnknownJob:
        if await connection.fetchval(KNOWN_BY_LEDGER.text, name):
            return name
        raise


def described(row: asyncpg.Record) -> dict[str, Any]:
    """The JSON form; its keys are an interface."""
    return {
        "id": row["id"],
        "job": row["job"],
        "due_at": in_words.iso(row["due_at"]),
        "trigger": row["trigger"],
        "state": row["state"],
        "reason": row["reason"],
        "attempt": row["attempt"],
        "started_at": in_words.iso(row["started_at"]),
        "finished_at": in_words.iso(row["finished_at"]),
        "result": None if row["result"] is None else json.loads(row["result"]),
        "error": row["error"],
    }


def _row(row: asyncpg.Record) -> tuple[str, ...]:
    took = in_words.NOTHING
    if row["started_at"] is not None and row["finished_at"] is not None:
        took = in_words.duration(row["finished_at"] - row["started_at"])
    why = row["error"] if row["state"] in ("failed", "ready") and row["error"] else row["reason"] or ""
    return (
        str(row["id"]),
        row["job"],
        f"{row['due_at']:%Y-%m-%d %H:%M:%S}",
        row["trigger"],
        row["state"],
        str(row["attempt"]),
        took,
        " ".join(why.split()),
    )
