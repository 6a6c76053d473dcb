"""Stale payments settled at the provider's limit, and webhooks answered, by a real daemon on loopback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import psutil

from bench.daemon_process import DaemonProcess, configured, daemon
from bench.measure import CpuMeter, median, percentile
from bench.report import Result, Table, Target
from bench.stage import Stage, child
from daemon import sql
from tests.system.node import free_port

ORDERS, PEOPLE, PRODUCTS, TOLD, ASK, ENDED, CONFIRMED, KEPT = sql.load(
    __file__, "orders", "people", "products", "told", "ask", "ended", "confirmed", "kept"
)

PAYMENTS, QUICK_PAYMENTS = 10_000, 200
LIMIT = 200.0
"""Requests a second that the provider takes: 40 times what is usual, so that the machine has something to do."""
CALLS_A_SECOND = 500.0
PATIENCE = 600.0
OURS, WORKING, BARE = "ours: kept", "ours: kept, and worked at the same time", "bare: signature checked"
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


async def run(stage: Stage) -> Result:
    quick = stage.options.quick
    payments = QUICK_PAYMENTS if quick else round(PAYMENTS * stage.options.scale)
    calls = QUICK_PAYMENTS if quick else round(CALLS_A_SECOND * min(stage.options.seconds, payments / CALLS_A_SECOND))
    shop = await opened(stage, payments)
    passes, ours, working, bare = [], [], [], []
    for n in range(1, stage.options.rounds + 1):
        stage.tell(f"round {n}: {payments:,} stale payments")
        async with stage.copy_of(shop) as url, serving(stage, "payments") as (port, _):
            passes.append(await one_pass(stage, url, port, payments))
        stage.tell(f"round {n}: {calls:,} calls of the webhook")
        for answers, works in ((ours, False), (working, True)):
            async with stage.copy_of(shop) as url:
                answers.append(await by_the_daemon(stage, url, calls, works=works))
        async with serving(stage, "bare") as (port, pid):
            pinned(pid)
            meter = CpuMeter(pid)
            bare.append({**await called(port, calls), "cpu": meter.sample()})
    return told(payments, calls, passes, {OURS: ours, WORKING: working, BARE: bare})


async def opened(stage: Stage, payments: int) -> str:
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


@asynccontextmanager
async def serving(stage: Stage, kind: str) -> AsyncIterator[tuple[int, int]]:
    """A server of `payments_provider` for the block: its port and pid."""
    port, sign = stage.folder / "provider-port", stage.folder / "provider"
    port.unlink(missing_ok=True)
    sign.touch()
    there = asyncio.create_task(
        child("bench.payments_provider:main", patience=PATIENCE, kind=kind, port_file=str(port), sign=str(sign))
    )
    try:
        while not port.exists() and not there.done():
            await asyncio.sleep(0.02)
        at, pid = port.read_text().split()
        yield int(at), int(pid)
        sign.unlink()
        await there
    finally:
        there.cancel()
        await asyncio.gather(there, return_exceptions=True)


@asynccontextmanager
async def shopkeeper(
    stage: Stage, url: str, provider: int, *, works: bool = True
) -> AsyncIterator[tuple[DaemonProcess, int]]:
    """A daemon with the suite, and the port of its public listener."""
    public = free_port()
    more = MORE.format(public=public, provider=provider, limit=LIMIT, works=str(works).lower())
    config = configured(stage.folder / "payments", url=url, suites=("workers.jewellery",), more=more)
    async with daemon(config) as running:
        yield running, public


async def one_pass(stage: Stage, url: str, provider: int, payments: int) -> dict[str, Any]:
    """Seconds of one run of the reconciler that settles all of them."""
    connection = await asyncpg.connect(url)
    try:
        async with shopkeeper(stage, url, provider) as (running, _):
            meter = CpuMeter(running.pid)
            id_ = await connection.fetchval(ASK.text)
            await connection.execute("SELECT pg_notify('sexton', 'ready')")
            async with asyncio.timeout(PATIENCE):
                while (ended := await connection.fetchrow(ENDED.text, id_)) is None:
                    await asyncio.sleep(0.25)
            cpu = meter.sample()
        result = json.loads(ended["result"] or "{}")
        assert (ended["state"], result.get("recovered")) == ("succeeded", payments), dict(ended)
        assert await connection.fetchval(CONFIRMED.text) == payments
    finally:
        await connection.close()
    return {"seconds": ended["seconds"], "cpu": cpu}


def pinned(pid: int) -> None:
    """What is measured has one core; everybody else has the others."""
    psutil.Process(pid).cpu_affinity([0])


async def called(port: int, calls: int) -> dict[str, Any]:
    answer = await child(
        "bench.payments_caller:main", patience=PATIENCE, port=port, calls=calls, per_second=CALLS_A_SECOND, first=1
    )
    found = {name: percentile(answer["latencies"], p) for name, p in (("p50", 50), ("p99", 99), ("worst", 100))}
    return {**found, "kept": answer["statuses"].get("200", 0)}


async def by_the_daemon(stage: Stage, url: str, calls: int, *, works: bool) -> dict[str, Any]:
    """Latencies, and where the events are also worked the seconds until the last order is confirmed."""
    loop = asyncio.get_running_loop()
    connection = await asyncpg.connect(url)
    try:
        async with shopkeeper(stage, url, 9, works=works) as (running, public):
            pinned(running.pid)
            began, meter = loop.time(), CpuMeter(running.pid)
            found = await called(public, calls)
            assert await connection.fetchval(KEPT.text) >= found["kept"]  # whoever was told so can rely on it
            if works:
                async with asyncio.timeout(PATIENCE):
                    while await connection.fetchval(CONFIRMED.text) < found["kept"]:
                        await asyncio.sleep(0.25)
            return {**found, "seconds": loop.time() - began, "cpu": meter.sample()}
    finally:
        await connection.close()


def told(payments: int, calls: int, passes: list[dict[str, Any]], answers: dict[str, list[dict[str, Any]]]) -> Result:
    limit = payments / LIMIT
    took, cpu = median([p["seconds"] for p in passes]), median([p["cpu"] for p in passes])
    reconciled = Table(
        f"{payments:,} stale payments, a provider that takes {LIMIT:g} requests a second",
        ("", "s", "payments/s", "of the limit", "CPU ms/payment"),
        [("ours: asked, settled, confirmed, told", took, payments / took, limit / took, 1000 * cpu / payments),
         ("the limit", limit, LIMIT, 1.0, 0.0)],
    )  # fmt: skip
    rows = [
        (name, calls / found[0]["kept"], *(1000 * median([a[p] for a in found]) for p in ("p50", "p99", "worst")),
         1000 * median([a["cpu"] for a in found]) / calls)
        for name, found in answers.items()
    ]  # fmt: skip
    confirmed = median([a["seconds"] for a in answers[WORKING]])
    webhook = Table(
        f"{calls:,} webhook calls, {CALLS_A_SECOND:g} a second, a connection each, on one core",
        ("", "calls/kept", "p50 ms", "p99 ms", "worst ms", "CPU ms/call"), rows,
        f"Worked at the same time, the last order was confirmed {confirmed - calls / CALLS_A_SECOND:.1f} s after the "
        "last call.",
    )  # fmt: skip
    p99 = {name: 1000 * median([a["p99"] for a in found]) for name, found in answers.items()}
    targets = [
        Target("payments/s, of the provider's limit", limit / took, 0.95, at_least=True),
        Target("webhook: p99, ms", p99[OURS], 50),
        Target("webhook: p99, times the bare handler", p99[OURS] / p99[BARE], 20),
    ]
    figures = {"payments": payments, "calls": calls, "passes": passes, "answers": answers}
    return Result("payments", [reconciled, webhook], targets, figures)
