"""What both halves of `payments` need: a shop with open payments, its daemon, and servers in processes of their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from bench.daemon_process import DaemonProcess, configured, daemon
from bench.measure import CpuMeter
from bench.stage import Stage, child
from daemon import sql
from tests.ports import free_port

ORDERS, PEOPLE, PRODUCTS, TOLD, CONFIRMED = sql.load(__file__, "orders", "people", "products", "told", "confirmed")

PATIENCE = 300.0
QUIET_SHARE, QUIET_S, LONGEST_START_S = 0.1, 0.5, 15.0
MORE = """
[public]
listen = "127.0.0.1:{public}"
base_url = "https://shop.example.org"
[outbox]
unsubscribe_secret = "0123456789012345678901234567890123456789"
[jobs.jewellery.webhook_timeout_handler]
schedule = "ondemand"
[jobs.jewellery.payment_captured]
enabled = {works}
[suite.jewellery.razorpay]
base_url = "http://127.0.0.1:{provider}/v1"
key_id = "key"
key_secret = "secret"
per_second = {limit}
concurrency = 20
webhook_secrets = ["secret"]
"""


async def opened(stage: Stage, payments: int) -> str:
    """A database with so many orders whose payments have been open for an hour: its URL."""
    url = await stage.fresh()
    connection = await asyncpg.connect(url)
    try:
        for statement in (PEOPLE, PRODUCTS):
            await connection.execute(statement.text)
        await connection.execute(ORDERS.text, payments)
        await connection.execute(TOLD.text)
        await connection.execute("VACUUM (ANALYZE)")
    finally:
        await connection.close()
    return url


@dataclass
class Serving:
    """A server of `payments_provider`; `ended` is what it had to say when the block was over."""

    port: int
    pid: int
    ended: dict[str, Any] = field(default_factory=dict)


@asynccontextmanager
async def serving(stage: Stage, kind: str, per_second: float) -> AsyncIterator[Serving]:
    port, sign = stage.folder / "provider-port", stage.folder / "provider"
    port.unlink(missing_ok=True)
    sign.touch()
    there = asyncio.create_task(
        child(
            "bench.payments_provider:main", patience=PATIENCE, kind=kind, port_file=str(port), sign=str(sign),
            per_second=per_second,
        )
    )  # fmt: skip
    try:
        while not port.exists() and not there.done():
            await asyncio.sleep(0.02)
        at, pid = port.read_text().split()
        yield (server := Serving(int(at), int(pid)))
        sign.unlink()
        server.ended = await there
    finally:
        there.cancel()
        await asyncio.gather(there, return_exceptions=True)


@asynccontextmanager
async def shopkeeper(
    stage: Stage, url: str, provider: int, *, per_second: float, works: bool = True
) -> AsyncIterator[tuple[DaemonProcess, int]]:
    """A daemon with the suite, past its start, and the port of its public listener."""
    public = free_port()
    more = MORE.format(public=public, provider=provider, limit=per_second, works=str(works).lower())
    config = configured(stage.folder / "payments", url=url, suites=("workers.jewellery",), more=more)
    async with daemon(config) as running:
        await quiet(running.pid)
        yield running, public


async def quiet(pid: int) -> None:
    """When it idles: after READY it still makes its dashboard, for half a second, which is not what is measured."""
    for _ in range(round(LONGEST_START_S / QUIET_S)):
        if await CpuMeter(pid).sampled_for(QUIET_S) < QUIET_SHARE * QUIET_S:
            return
