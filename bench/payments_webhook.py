"""The webhook at a fixed rate of calls: by the daemon, on one core, and by a handler that keeps nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from bench import cores
from bench.measure import CpuMeter, median, percentile
from bench.payments_shop import CONFIRMED, PATIENCE, serving, shopkeeper
from bench.report import Table
from bench.stage import Stage, child
from daemon import sql

KEPT, WORKED, TIME_FLUSHES, RELOAD, FORGET, FLUSH = sql.load(
    __file__, "kept", "worked", "time_flushes", "reload", "forget", "flush"
)

CALLS_A_SECOND = 500.0
WARM_UP = 100
OURS, WORKING, BARE = "ours: kept", "ours: kept, and worked at the same time", "bare: signature checked"

Found = dict[str, Any]


async def called(port: int, calls: int, first: int) -> Found:
    """`answers` by status; 0 stands for none at all. Latencies are from the instant that a call was due."""
    answer = await child(
        "bench.payments_caller:main", patience=PATIENCE, port=port, calls=calls, per_second=CALLS_A_SECOND, first=first
    )
    found = {name: percentile(answer["latencies"], p) for name, p in (("p50", 50), ("p99", 99), ("worst", 100))}
    return {**found, "kept": answer["statuses"].get("200", 0), "answers": answer["statuses"], "late": answer["late"]}


async def by_the_daemon(stage: Stage, url: str, calls: int, *, works: bool) -> Found:
    """Where the events are also worked: until the last order is confirmed, and `after` seconds since the last call."""
    connection = await asyncpg.connect(url)
    try:
        await timing_flushes(connection)
        async with shopkeeper(stage, url, 9, per_second=CALLS_A_SECOND, works=works) as (running, public):
            cores.bound(running.pid, cores.ONE)
            cores.bound(stage.postgres_pid, cores.others())
            warm = (await called(public, min(WARM_UP, calls // 2), first=calls + 1))["kept"]
            ours, postgres = CpuMeter(running.pid), CpuMeter(stage.postgres_pid)
            found = await measured(running.pid, public, calls)
            ended = asyncio.get_running_loop().time()
            # Whoever was told so can rely on it.
            assert await connection.fetchval(KEPT.text) >= found["kept"] + warm
            if works:
                await confirmed(connection, found["kept"] + warm)
                found |= {"after": asyncio.get_running_loop().time() - ended, **await worked(connection)}
            flush = (await connection.fetchval(FLUSH.text)) / 1000
            return {**found, "cpu": ours.sample(), "postgres_cpu": postgres.sample(), "flush": flush}
    finally:
        await connection.close()


async def timing_flushes(connection: asyncpg.Connection) -> None:
    """PostgreSQL shall tell how long the disk takes: no commit is quicker than that."""
    for statement in (TIME_FLUSHES, RELOAD, FORGET):
        await connection.execute(statement.text)


async def measured(pid: int, port: int, calls: int) -> Found:
    """`coreless`: the share of that time in which the event loop was ready to run and others had its core."""
    loop = asyncio.get_running_loop()
    began, waited = loop.time(), cores.waited(pid)
    found = await called(port, calls, first=1)
    return {**found, "coreless": (cores.waited(pid) - waited) / (loop.time() - began)}


async def confirmed(connection: asyncpg.Connection, orders: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while await connection.fetchval(CONFIRMED.text) < orders:
            await asyncio.sleep(0.05)


async def worked(connection: asyncpg.Connection) -> Found:
    """`worked_p99`, `worked_worst`: seconds from an event's arrival to the transaction that worked it."""
    row = await connection.fetchrow(WORKED.text)
    assert row is not None
    return {"worked_p99": row["p99"], "worked_worst": row["worst"]}


async def by_the_bare_handler(stage: Stage, calls: int) -> Found:
    async with serving(stage, "bare", CALLS_A_SECOND) as server:
        cores.bound(server.pid, cores.ONE)
        meter = CpuMeter(server.pid)
        found = await measured(server.pid, server.port, calls)
        return {**found, "cpu": meter.sample(), "postgres_cpu": 0.0, "flush": 0.0}


def table(calls: int, answers: Mapping[str, Sequence[Found]]) -> Table:
    def middle(name: str, what: str) -> float:
        return float(1000 * median([one[what] for one in answers[name]]))

    rows = [
        (name, f"{sum(one['kept'] for one in found):,} of {calls * len(found):,}",
         *(middle(name, p) for p in ("p50", "p99", "worst")), middle(name, "cpu") / calls,
         middle(name, "postgres_cpu") / calls, middle(name, "flush"), middle(name, "coreless") / 10,
         middle(name, "late"))
        for name, found in answers.items()
    ]  # fmt: skip
    return Table(
        f"{calls:,} webhook calls, {CALLS_A_SECOND:g} a second, a connection each, on one core",
        ("", "answered 200", "p50 ms", "p99 ms", "worst ms", "CPU ms/call", "PostgreSQL's", "flush ms", "coreless %",
         "caller late, p99 ms"),
        rows,
        f"{cores.shared()} The bare handler has one round.\n  "
        "Latency is from the instant a call was due: a caller that is late counts against us.\n  "
        "Flush: of the disk, PostgreSQL's mean; a call waits for up to two. Coreless: others had the core.\n  "
        f"Worked at the same time: {middle(WORKING, 'worked_p99'):.0f} ms after an event came (p99); the last order "
        f"was confirmed\n  {middle(WORKING, 'after'):.0f} ms after the last call.",
    )  # fmt: skip
