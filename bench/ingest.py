"""Real flights from queue to committed charges by a real daemon; the limit; the plain loop."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from bench.daemon_process import configured, daemon
from bench.measure import CpuMeter, median
from bench.report import Result, Table, Target
from bench.stage import Stage, child
from workers.flights.sample import default_cache
from workers.flights.seed import seed

WARM_UP = 100
PATIENCE = 180.0
CLEAR = (
    "TRUNCATE flights.flight_charge, flights.flight_invoice, flights.benchmark, flights.flight_processing_queue CASCADE"
)
ENQUEUE = "INSERT INTO flights.flight_processing_queue (flight_id) SELECT unnest($1::bigint[])"
LEFT = "SELECT count(*) FROM flights.flight_processing_queue"
CHARGED = """
SELECT count(DISTINCT i.flight_id) AS flights, count(DISTINCT i.id) AS records, count(c.*) AS charges
FROM flights.flight_invoice i LEFT JOIN flights.flight_charge c ON c.flight_invoice_id = i.id
WHERE i.superseded_by IS NULL"""


@dataclass
class Measured:
    """Of one contestant, a value a round."""

    seconds: list[float] = field(default_factory=list)
    warm_up: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    cpu_postgres: list[float] = field(default_factory=list)


async def run(stage: Stage) -> Result:
    url = await stage.fresh()
    connection = await asyncpg.connect(url)
    try:
        stage.tell("loading real flights")
        scale = 0.05 if stage.options.quick else 2
        await seed(connection, scale=scale, cache=default_cache(), progress=lambda *_: None)
        flights = [row["id"] for row in await connection.fetch("SELECT id FROM flights.flight ORDER BY id")]
        await connection.execute("ANALYZE")
        ours, limit, plain, boxed = Measured(), Measured(), Measured(), Measured()
        expected: dict[str, int] = {}
        for n in range(stage.options.rounds):
            stage.tell(f"round {n + 1}: {len(flights):,} flights, the daemon")
            expected = await by_the_daemon(stage, url, connection, flights, ours)
            stage.tell(f"round {n + 1}: {len(flights):,} flights, rating and COPY alone")
            written = await by_copy(stage, url, connection, flights, limit)
            assert expected == written, f"the daemon wrote {expected}, the limit {written}"
            stage.tell(f"round {n + 1}: the plain Python loop on a sample")
            answer = await child("bench.ingest_plain:main", patience=PATIENCE, flights=3 if stage.options.quick else 50)
            plain.seconds.append(answer["every_vertex"] * len(flights))
            boxed.seconds.append(answer["boxes"] * len(flights))
    finally:
        await connection.close()
    return told(len(flights), expected, ours, limit, plain, boxed)


def processes(stage: Stage) -> int:
    return 2 if stage.options.quick else 5


async def by_the_daemon(
    stage: Stage, url: str, connection: asyncpg.Connection, flights: list[int], into: Measured
) -> dict[str, int]:
    """From the commit that enqueues them until the queue is empty, with workers that have rated before."""
    await connection.execute(CLEAR)
    async with daemon(configured(stage.folder / "ingest", url=url, workers=processes(stage))) as running:
        began = time.perf_counter()
        await queued_and_gone(connection, flights[:WARM_UP])
        into.warm_up.append(time.perf_counter() - began)
        await connection.execute(CLEAR)
        mine, theirs = CpuMeter(running.pid), CpuMeter(stage.postgres_pid)
        into.seconds.append(await queued_and_gone(connection, flights))
        into.cpu.append(mine.sample())
        into.cpu_postgres.append(theirs.sample())
    (row,) = await connection.fetch(CHARGED)
    return dict(row)


async def queued_and_gone(connection: asyncpg.Connection, flights: list[int]) -> float:
    await connection.execute(ENQUEUE, flights)
    began = time.perf_counter()
    async with asyncio.timeout(PATIENCE):
        while await connection.fetchval(LEFT):
            await asyncio.sleep(0.02)
    return time.perf_counter() - began


async def by_copy(
    stage: Stage, url: str, connection: asyncpg.Connection, flights: list[int], into: Measured
) -> dict[str, int]:
    await connection.execute(CLEAR)
    answer = await child(
        "bench.ingest_limit:main", patience=PATIENCE, environment={"SEXTON_WORKER_DATABASE_URL": url},
        url=url, postgres=stage.postgres_pid, flights=flights, warm_up=WARM_UP,
        processes=processes(stage),
    )  # fmt: skip
    into.seconds.append(answer["seconds"])
    into.warm_up.append(answer["warm_up"])
    into.cpu.append(answer["cpu"])
    into.cpu_postgres.append(answer["cpu_postgres"])
    (row,) = await connection.fetch(CHARGED)
    return dict(row)


def told(
    count: int, wrote: dict[str, int], ours: Measured, limit: Measured, plain: Measured, boxed: Measured
) -> Result:  # fmt: skip
    of_limit, of_plain, of_boxed = (
        median([peer / own for own, peer in zip(ours.seconds, of.seconds, strict=True)]) for of in (limit, plain, boxed)
    )
    note = (
        f"{wrote['records']:,} records, {wrote['charges']:,} charges. 5 worker processes each, warm: the first "
        f"{WARM_UP} flights, with the start of the workers, took {median(ours.warm_up):.2f} s and "
        f"{median(limit.warm_up):.2f} s.\n  * one process, classifies positions only, fetches and writes nothing; "
        f"50 flights, extrapolated; ours does {of_plain:.0f} and {of_boxed:.0f} times as many a second."
    )
    measured = {
        "ours, queue to commit": ours,
        "limit: same rating, COPY": limit,
        "plain Python loop*": plain,
        "plain, bounding boxes*": boxed,
    }
    table = Table(
        f"{count:,} real flights, by `sexton run` on a durable PostgreSQL",
        ("", "flights/s", "s", "of limit", "CPU ms/flight", "PostgreSQL ms/flight"),
        [row(name, of, count, limit) for name, of in measured.items()],
        note,
    )
    targets = [
        Target("flights/s, of the limit", of_limit, 0.5, at_least=True),
        Target("flights/s, times the plain loop over every vertex", of_plain, 20, at_least=True),
    ]
    figures = {name: vars(of) for name, of in zip(("ours", "limit", "plain", "boxed"), measured.values(), strict=True)}
    return Result("ingest", [table], targets, {"flights": count, **wrote, **figures})


def row(name: str, of: Measured, count: int, limit: Measured) -> tuple[Any, ...]:
    took = median(of.seconds)
    cpu = median(of.cpu) if of.cpu else took
    postgres = median(of.cpu_postgres) if of.cpu else 0.0
    return (name, count / took, took, median(limit.seconds) / took, cpu * 1000 / count, postgres * 1000 / count)
