"""A queue of no-op items through the engine, against the least that a durable queue can do with asyncpg."""

from __future__ import annotations

from typing import Any

import asyncpg

from bench.measure import median
from bench.report import Result, Table, Target
from bench.stage import Stage, child

CONTESTANTS = {
    "ours": "bench.queue_ours:throughput",
    "bare": "bench.queue_bare:throughput",
    "bare, one statement": "bench.queue_bare:one_statement",
}
LATENCY = {"ours": "bench.queue_ours:latency", "bare": "bench.queue_bare:latency"}
TABLES = """
CREATE SCHEMA bench;
CREATE TABLE bench.queue (
    item_id bigint PRIMARY KEY, state text NOT NULL DEFAULT 'READY' CHECK (state IN ('READY', 'RUNNING', 'DEAD')),
    priority smallint NOT NULL DEFAULT 0, enqueued_at timestamptz NOT NULL DEFAULT sexton.clock(),
    next_attempt_at timestamptz NOT NULL DEFAULT sexton.clock(), attempts int NOT NULL DEFAULT 0,
    failures int NOT NULL DEFAULT 0, rescues int NOT NULL DEFAULT 0, token bigint, lease_owner uuid, last_error text
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX queue_ready ON bench.queue (priority, next_attempt_at, item_id) WHERE state = 'READY';
CREATE INDEX queue_running ON bench.queue (lease_owner) WHERE state = 'RUNNING';
CREATE TRIGGER wake AFTER INSERT ON bench.queue FOR EACH STATEMENT EXECUTE FUNCTION sexton.wake_queue();
"""


async def run(stage: Stage) -> Result:
    items, picks = (200, 5) if stage.options.quick else (20_000, 250)
    seconds: dict[str, list[float]] = {name: [] for name in CONTESTANTS}
    spreads: dict[str, list[dict[str, Any]]] = {name: [] for name in LATENCY}
    for n in range(stage.options.rounds):
        for name, function in CONTESTANTS.items():
            stage.tell(f"round {n + 1}: {items:,} items, {name}")
            found = await child(function, patience=180, url=await prepared(stage), items=items)
            assert found["left"] == 0, f"{name} left {found['left']} items"
            seconds[name].append(found["seconds"])
        for name, function in LATENCY.items():
            stage.tell(f"round {n + 1}: {picks} items one at a time, {name}")
            spreads[name].append(await child(function, patience=180, url=await prepared(stage), picks=picks))
    return told(items, seconds, spreads)


async def prepared(stage: Stage) -> str:
    """A new database with an empty queue in it, so that no contestant works in another's dead rows."""
    url = await stage.fresh()
    connection = await asyncpg.connect(url)
    await connection.execute(TABLES)
    await connection.close()
    return url


def told(items: int, seconds: dict[str, list[float]], spreads: dict[str, list[dict[str, Any]]]) -> Result:
    rates = {name: items / median(s) for name, s in seconds.items()}
    ratio = median([b / o for o, b in zip(seconds["ours"], seconds["bare"], strict=True)])
    p50 = {name: median([s["p50"] for s in found]) for name, found in spreads.items()}
    p99 = {name: median([s["p99"] for s in found]) for name, found in spreads.items()}
    latency_ratio = median([o["p50"] / b["p50"] for o, b in zip(spreads["ours"], spreads["bare"], strict=True)])
    return Result(
        "queue",
        [
            Table(
                f"{items:,} no-op items, enqueued before; batches of 500 in the bare loops",
                ("", "items/s", "s", "of bare"),
                [(n, rates[n], median(seconds[n]), rates[n] / rates["bare"]) for n in rates],
                "bare: UPDATE … SKIP LOCKED, then DELETE, a commit each. one statement: DELETE … RETURNING, which "
                "loses what a crash interrupts.",
            ),
            Table(
                "insert → body begins, one item at a time, woken by NOTIFY",
                ("", "p50 ms", "p99 ms", "of bare"),
                [(n, p50[n], p99[n], p50[n] / p50["bare"]) for n in p50],
            ),
        ],
        [
            Target("throughput, of the bare loop", ratio, 0.4, at_least=True),
            Target("pick-up latency p50, times bare asyncpg", latency_ratio, 3.0),
        ],
        {"items": items, "seconds": seconds, "latency_ms": spreads},
    )
