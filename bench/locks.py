"""A million expired locks deleted while checkouts go on: by the job, and by one bare statement."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import asyncpg

from bench.measure import median
from bench.report import Result, Table, Target
from bench.stage import Stage, child
from daemon import sql
from daemon.testing import perform
from workers.jewellery.cleanup_expired_locks import cleanup_expired_locks
from workers.jewellery.settings import Settings

LOAD, DELETE_ALL, LEFT, STOP = sql.load(__file__, "load", "delete_all", "left", "stop")

ROWS, QUICK_ROWS = 1_000_000, 5_000
NOW = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)
LIMIT_MS = 50
PATIENCE = 900.0
JOB, BARE, ALONE = "the job", "one bare statement", "checkouts alone"

Work = Callable[[str], Awaitable[float]]


async def run(stage: Stage) -> Result:
    rows = QUICK_ROWS if stage.options.quick else round(ROWS * stage.options.scale)
    shop = await loaded(stage, rows)
    works: dict[str, Work] = {
        ALONE: nothing_for(0.5 if stage.options.quick else 5.0),
        JOB: by_the_job,
        BARE: by_statement,
    }
    rounds: dict[str, list[dict[str, Any]]] = {name: [] for name in works}
    for n in range(1, stage.options.rounds + 1):
        for name, work in works.items():
            stage.tell(f"round {n}: {name}")
            async with stage.copy_of(shop) as url:
                rounds[name].append(await beside_checkouts(work, url, rows))
    return told(rows, rounds)


async def loaded(stage: Stage, rows: int) -> str:
    url = await stage.fresh()
    connection = await asyncpg.connect(url)
    try:
        stage.tell(f"{rows:,} expired locks")
        await connection.execute(LOAD.text.format(rows=rows))
        await connection.execute("VACUUM (ANALYZE)")
    finally:
        await connection.close()
    return url


async def beside_checkouts(work: Work, url: str, rows: int) -> dict[str, Any]:
    """What the checkouts of another process met while `work` was done, and how long it took."""
    connection = await asyncpg.connect(url)
    going = asyncio.Event()
    await connection.add_listener("going", lambda *_: going.set())
    try:
        checkouts = asyncio.create_task(
            child("bench.locks_checkouts:checkouts", patience=PATIENCE, url=url, rows=rows, limit_ms=LIMIT_MS)
        )
        await asyncio.wait({checkouts, asyncio.create_task(going.wait())}, return_when=asyncio.FIRST_COMPLETED)
        seconds = await work(url)
        await connection.execute(STOP.text)
        met: dict[str, Any] = await checkouts
        left = await connection.fetchval(LEFT.text, NOW)
    finally:
        await connection.close()
    return {**met, "seconds": seconds, "left": left}


def nothing_for(seconds: float) -> Work:
    async def nothing(_: str) -> float:
        await asyncio.sleep(seconds)
        return seconds

    return nothing


async def by_the_job(url: str) -> float:
    began = time.perf_counter()
    done = await perform(cleanup_expired_locks, url=url, due_at=NOW, settings=Settings())
    if done.ending != "succeeded":
        raise RuntimeError(f"{cleanup_expired_locks.name} {done.ending}: {done.error}")
    return time.perf_counter() - began


async def by_statement(url: str) -> float:
    connection = await asyncpg.connect(url)
    try:
        began = time.perf_counter()
        await connection.execute(DELETE_ALL.text, NOW)
        return time.perf_counter() - began
    finally:
        await connection.close()


def told(rows: int, rounds: dict[str, list[dict[str, Any]]]) -> Result:
    def of(name: str, what: str) -> float:
        return float(median([one[what] for one in rounds[name]]))

    def worst(name: str, what: str) -> float:
        return float(max(one[what] for one in rounds[name]))

    table = Table(
        f"{rows:,} expired locks, checkouts beside it, durable PostgreSQL",
        ("", "s", "checkouts", "p50 ms", "p99 ms", "worst ms", "waited for a lock", "longest ms",
         f"ended at {LIMIT_MS} ms", "left"),
        [
            (name, of(name, "seconds"), round(of(name, "checkouts")), of(name, "p50_ms"), of(name, "p99_ms"),
             worst(name, "worst_ms"), round(of(name, "waits")), worst(name, "waited_ms"), round(worst(name, "blocked")),
             round(of(name, "left")))
            for name in rounds
        ],
        "A checkout extends ten locks, most of them expired, adds one and commits. How long it waited for locks is "
        f"PostgreSQL's\n  own account; it ends what waits {LIMIT_MS} ms (lock_timeout). The rest of what a checkout "
        "takes is the disk and the core.\n  Worst and longest are of all rounds, the others medians. Left: what "
        "checkouts held.",
    )  # fmt: skip
    targets = [
        Target(f"checkouts that waited {LIMIT_MS} ms for the job", worst(JOB, "blocked"), 0),
        Target("longest wait of a checkout for the job's locks, ms", worst(JOB, "waited_ms"), LIMIT_MS),
        Target("p99 of a checkout beside the job, ms", of(JOB, "p99_ms"), LIMIT_MS),
        Target("seconds, times the bare statement", of(JOB, "seconds") / of(BARE, "seconds"), 10),
    ]
    return Result("locks", [table], targets, {"rows": rows, "rounds": rounds})
