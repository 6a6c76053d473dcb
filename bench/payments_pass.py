"""One pass of the reconciler over stale payments, beside a provider that refuses what comes above its limit."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import asyncpg

from bench.measure import CpuMeter
from bench.payments_shop import CONFIRMED, PATIENCE, serving, shopkeeper
from bench.report import Table
from bench.stage import Stage
from daemon import sql

ASK, ENDED = sql.load(__file__, "ask", "ended")

LIMIT = 200.0
"""Requests a second that the provider takes: 40 times what is usual, so that the machine has something to do."""


async def one_pass(stage: Stage, url: str, payments: int) -> dict[str, Any]:
    """Its seconds by the ledger, and CPU seconds. All payments must be captured and their orders confirmed."""
    connection = await asyncpg.connect(url)
    try:
        async with (
            serving(stage, "payments", LIMIT) as provider,
            shopkeeper(stage, url, provider.port, per_second=LIMIT) as (running, _),
        ):
            ours, postgres = CpuMeter(running.pid), CpuMeter(stage.postgres_pid)
            ended = await asked_for(connection)
            cpu = {"cpu": ours.sample(), "postgres_cpu": postgres.sample()}
        result = json.loads(ended["result"] or "{}")
        assert (ended["state"], result.get("recovered")) == ("succeeded", payments), dict(ended)
        assert await connection.fetchval(CONFIRMED.text) == payments
    finally:
        await connection.close()
    return {"seconds": ended["seconds"], "refused": provider.ended["refused"], **cpu}


async def asked_for(connection: asyncpg.Connection) -> asyncpg.Record:
    """A run by hand, when it has ended."""
    id_ = await connection.fetchval(ASK.text)
    await connection.execute("SELECT pg_notify('sexton', 'ready')")
    async with asyncio.timeout(PATIENCE):
        while (ended := await connection.fetchrow(ENDED.text, id_)) is None:
            await asyncio.sleep(0.25)
    return ended


def table(payments: int, found: dict[str, Any]) -> Table:
    limit, took = payments / LIMIT, found["seconds"]
    return Table(
        f"{payments:,} stale payments, a provider that takes {LIMIT:g} requests a second and answers 429 beyond",
        ("", "s", "payments/s", "of the limit", "CPU ms/payment", "PostgreSQL's", "429"),
        [("ours: asked, settled, confirmed, told", took, payments / took, limit / took, 1000 * found["cpu"] / payments,
          1000 * found["postgres_cpu"] / payments, found["refused"]),
         ("the limit", limit, LIMIT, 1.0, 0.0, 0.0, 0)],
        "Once, however many rounds: it takes as long as the limit wants.",
    )  # fmt: skip
