"""What must be true at every test's end: nothing repeated, nothing lost, nothing left in a dead node's name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import asyncpg

from daemon import schedule

STEPS = {"trial.tick": {0}, "trial.minutely": {0}, "trial.batches": {1, 2, 3, 4, 5}, "trial.long": {0}}
QUEUES = ("flights.flight_processing_queue", "trial.item")

Totals = Mapping[str, tuple[int, Decimal]]
"""Live charge records and their sum, by currency."""


@dataclass(frozen=True, slots=True)
class Account:
    """What was counted; the soak prints it."""

    flights: int
    instants: int
    effects: int
    rescues: int
    retried: int
    dead: int


async def totals(connection: asyncpg.Connection) -> Totals:
    rows = await connection.fetch(
        "SELECT currency::text, count(*), sum(subtotal) FROM flights.flight_invoice "
        "WHERE superseded_by IS NULL GROUP BY currency"
    )
    return {currency: (count, total) for currency, count, total in rows}


async def account(connection: asyncpg.Connection, expected: Totals | None, *, dead: int = 0) -> Account:
    """Check everything and count. `expected` None: the queue of flights was not worked to its end; `dead`
    items are there on purpose."""
    problems: list[str] = []
    if expected is not None:
        problems += await _wrong_charges(connection, expected)
    problems += await _wrong_queues(connection, dead, finished=expected is not None)
    instants = 0
    for job in await connection.fetch("SELECT name, evaluated_until FROM sexton.job ORDER BY name"):
        due = await due_instants(connection, job["name"], job["evaluated_until"])
        instants += len(due)
        problems += await _wrong_instants(connection, job["name"], due)
    problems += await _wrong_effects(connection)
    problems += await wrong_runs(connection)
    assert not problems, "\n".join(["the account does not balance:", *problems])
    return await _counted(connection, instants)


async def _counted(connection: asyncpg.Connection, instants: int) -> Account:
    count = connection.fetchval
    return Account(
        flights=await count("SELECT count(DISTINCT flight_id) FROM flights.flight_invoice WHERE superseded_by IS NULL"),
        instants=instants,
        effects=await count("SELECT count(*) FROM trial.effect"),
        rescues=await count("SELECT coalesce(sum(rescues), 0) FROM sexton.run"),
        retried=await count("SELECT count(*) FROM sexton.attempt"),
        dead=await count(f"SELECT count(*) FROM {QUEUES[0]} WHERE state = 'DEAD'"),
    )


async def _wrong_charges(connection: asyncpg.Connection, expected: Totals) -> list[str]:
    problems: list[str] = []
    found = await totals(connection)
    if found != expected:
        problems.append(f"charges are {found}, and {expected} after a clean run")
    twice = await connection.fetch(
        "SELECT flight_id, currency::text, count(*) FROM flights.flight_invoice WHERE superseded_by IS NULL "
        "GROUP BY 1, 2 HAVING count(*) > 1"
    )
    problems += [f"flight {r[0]} has {r[2]} live records in {r[1]}" for r in twice]
    without = await connection.fetch(
        "SELECT id FROM flights.flight f WHERE NOT EXISTS (SELECT FROM flights.flight_invoice i "
        "WHERE i.flight_id = f.id AND superseded_by IS NULL) "
        "AND NOT EXISTS (SELECT FROM flights.flight_processing_queue q WHERE q.flight_id = f.id)"
    )
    problems += [f"flight {r[0]} has neither a record nor a queue row" for r in without]
    uneven = await connection.fetchval(
        "SELECT count(*) FROM flights.flight_invoice i WHERE subtotal <> "
        "(SELECT coalesce(sum(amount), 0) FROM flights.flight_charge c WHERE c.flight_invoice_id = i.id)"
    )
    if uneven:
        problems.append(f"{uneven} records do not equal the sum of their charges")
    superseded = await connection.fetchval(
        "SELECT count(*) FROM flights.flight_invoice WHERE superseded_by IS NOT NULL"
    )
    if superseded:
        problems.append(f"{superseded} records were superseded, though nothing had changed")
    return problems


async def _wrong_queues(connection: asyncpg.Connection, dead: int, *, finished: bool) -> list[str]:
    problems: list[str] = []
    buried = 0
    for queue in QUEUES:
        rows = await connection.fetch(f"SELECT state, last_error, lease_owner FROM {queue}")
        states = Counter(row["state"] for row in rows)
        if states["RUNNING"]:
            problems.append(f"{queue}: {states['RUNNING']} rows are RUNNING and nobody runs")
        if finished and states["READY"]:
            problems.append(f"{queue}: {states['READY']} rows are still READY")
        buried += states["DEAD"]
        problems += [f"{queue}: a row is DEAD without a reason" for r in rows if r["state"] == "DEAD" and not r[1]]
    if buried != dead:
        why = await connection.fetch(f"SELECT last_error, count(*) FROM {QUEUES[0]} WHERE state = 'DEAD' GROUP BY 1")
        problems.append(f"{buried} items are DEAD, and {dead} were poison: {[tuple(r) for r in why]}")
    twice = await connection.fetch("SELECT key, count(*) FROM trial.done GROUP BY key HAVING count(*) > 1")
    problems += [f"item {r[0]} was saved {r[1]} times" for r in twice]
    return problems


async def due_instants(connection: asyncpg.Connection, job: str, until: datetime) -> list[datetime]:
    """Every instant since the job was introduced, recomputed from the schedules it has had."""
    rows = await connection.fetch("SELECT fingerprint, since FROM trial.schedule WHERE job = $1 ORDER BY id", job)
    ends = [*(row["since"] for row in rows[1:]), until]
    return [
        instant.at
        for row, end in zip(rows, ends, strict=True)
        if not row["fingerprint"].startswith(("poll ", "event ", "disabled"))
        for instant in schedule.instants(schedule.parse_fingerprint(row["fingerprint"]), row["since"], end)
    ]


async def _wrong_instants(connection: asyncpg.Connection, job: str, due: list[datetime]) -> list[str]:
    """Each instant is in exactly one row, alone or in the span that says so."""
    problems: list[str] = []
    covered: Counter[datetime] = Counter()
    rows = await connection.fetch(
        "SELECT due_at, coalesce(due_until, due_at) AS until, count FROM sexton.run "
        "WHERE job = $1 AND trigger = 'schedule'", job,
    )  # fmt: skip
    for row in rows:
        span = [at for at in due if row["due_at"] <= at <= row["until"]] if row["count"] > 1 else []
        inside = span or [row["due_at"]]
        if len(inside) != row["count"]:
            problems.append(f"{job}: the row due at {row['due_at']} counts {row['count']} instants of {len(inside)}")
        covered.update(inside)
    wanted = set(due)
    problems += [f"{job}: {at} has no row" for at in due if at not in covered]
    problems += [f"{job}: {at} has {n} rows" for at, n in covered.items() if n > 1]
    problems += [f"{job}: {at} has a row and was never due" for at in covered if at not in wanted]
    return problems[:20]


async def _wrong_effects(connection: asyncpg.Connection) -> list[str]:
    """Succeeded means every effect once; anything else in the ledger means those of the committed batches."""
    problems: list[str] = []
    effects: dict[tuple[str, datetime], Counter[int]] = {}
    for row in await connection.fetch("SELECT job, due_at, step FROM trial.effect"):
        effects.setdefault((row["job"], row["due_at"]), Counter())[row["step"]] += 1
    for (job, due_at), steps in effects.items():
        problems += [f"{job} {due_at}: step {step} happened {n} times" for step, n in steps.items() if n > 1]
    runs = await connection.fetch("SELECT job, due_at, state FROM sexton.run WHERE job = ANY($1)", list(STEPS))
    for run in runs:
        done = set(effects.pop((run["job"], run["due_at"]), Counter()))
        complete = done == STEPS[run["job"]]
        if complete != (run["state"] == "succeeded"):
            problems.append(f"{run['job']} {run['due_at']} is {run['state']} and its effects are {sorted(done)}")
    problems += [f"{job} {due_at}: effects without a run" for job, due_at in effects]
    return problems[:20]


async def wrong_runs(connection: asyncpg.Connection) -> list[str]:
    """Called when no daemon runs: then nothing may say that it does."""
    rows: list[Any] = await connection.fetch("SELECT id, job, node FROM sexton.run WHERE state = 'running'")
    problems = [f"run {r['id']} of {r['job']} is still running, for node {r['node']}" for r in rows]
    locks = await connection.fetch(
        "SELECT j.name, r.state FROM sexton.job j LEFT JOIN sexton.run r ON r.id = j.running_run "
        "WHERE j.running_run IS NOT NULL AND r.state IS DISTINCT FROM 'ready'"
    )
    problems += [f"{r['name']} is held by a run that is {r['state']}" for r in locks]
    failed = await connection.fetch("SELECT id, job, error FROM sexton.run WHERE state = 'failed'")
    problems += [f"run {r['id']} of {r['job']} failed: {r['error']}" for r in failed]
    untold = await connection.fetch(
        "SELECT id, job, state FROM sexton.run WHERE reason IS NULL "
        "AND state IN ('held', 'skipped', 'missed', 'cancelled')"
    )
    problems += [f"run {r['id']} of {r['job']} is {r['state']} without a reason" for r in untold]
    return problems
