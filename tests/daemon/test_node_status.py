"""What a node says of itself: to `sexton status` and to systemd."""

from __future__ import annotations

import asyncio
import json
import time

import asyncpg

from daemon import Context, Every, OnDemand, node_status
from daemon.events import RunStarted
from daemon.health import unready, unwell
from daemon.jsonable import to_json
from daemon.loop_lag import LoopMonitor
from tests.daemon.asking import ask
from tests.daemon.cuttable import wire
from tests.daemon.harness import Node, a_job, node


async def nothing(_: Context) -> None: ...


def monitor(n: Node) -> LoopMonitor:
    return LoopMonitor(n.hear, n.engine.current_run)


async def test_the_status_row_shows_what_runs_with_its_progress(url: str, connection: asyncpg.Connection) -> None:
    told, go = asyncio.Event(), asyncio.Event()

    async def body(ctx: Context) -> None:
        await ctx.progress(3, 12)
        told.set()
        await go.wait()

    async with node(url, a_job(body, OnDemand(), "t.long"), a_job(nothing, Every(3600, phase=0), "t.hourly")) as n:
        run = await ask(connection, "t.long")
        await n.event(RunStarted)
        await told.wait()
        status = json.loads(to_json(node_status.snapshot(n.engine, monitor(n), time.monotonic() - 10)))
        (running,) = status["running"]
        assert (running["run"], running["job"], running["done"], running["total"]) == (run, "t.long", 3, 12)
        assert set(running) == {"run", "job", "due_at", "attempt", "seconds", "done", "total"}
        assert status["suites"] == sorted(n.engine.catalogue.packages)
        assert status["slots"] == {"size": 20, "used": 1}
        assert set(status["pool"]) == {"size", "busy", "idle", "starting", "died"}
        assert status["uptime_s"] >= 10
        assert (status["draining"], status["loop_lag_ms"], status["metrics"]) == (False, 0.0, True)
        said = node_status.sentence(n.engine)
        assert said.startswith("2 jobs, 1 running, 0/2 workers busy, next t.hourly at ")
        n.engine.claiming = False
        assert node_status.sentence(n.engine) == "draining: 1 running"
        assert "draining" in unready(node_status.evidence(n.engine, monitor(n)))
        n.engine.claiming = True
        go.set()


async def test_an_outage_is_evidence_of_no_readiness_and_of_no_illness(url: str) -> None:
    async with wire(url) as w, node(w.url, a_job(nothing, OnDemand(), "t.one")) as n:
        before = node_status.evidence(n.engine, monitor(n))
        assert unwell(before) == unready(before) == []
        await w.cut()
        n.engine.wake("dispatcher", "lease")
        await n.engine.outage.begins()
        found = node_status.evidence(n.engine, monitor(n))
        assert unwell(found) == []
        assert unready(found)[0].startswith("database: ")
        assert node_status.sentence(n.engine).startswith("database away for 0 s (")
        await w.mend()
        await n.engine.outage.over()
