"""What a node tells of itself when it is scraped."""

from __future__ import annotations

import asyncio

import asyncpg
from prometheus_client import CollectorRegistry

from daemon import Context, OnDemand, sql
from daemon.events import RunEnded
from daemon.loop_lag import LoopMonitor
from daemon.metrics_node import NodeMetrics
from daemon.sql import Statement
from tests.daemon.asking import ask
from tests.daemon.cuttable import wire
from tests.daemon.harness import Node, a_job, node

LEAVE = Statement("leave", "INSERT INTO t.cup SELECT n FROM generate_series(1, $1::int) n", "test")
DRINK = Statement("drink", "DELETE FROM t.cup WHERE id = 1", "test")


async def nothing(_: Context) -> None: ...


def registry_of(n: Node) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(NodeMetrics(n.engine, LoopMonitor(n.hear, n.engine.current_run)))
    return registry


async def test_slots_connections_and_workers_are_shown_beside_their_limits(
    url: str, connection: asyncpg.Connection
) -> None:
    holding, go = asyncio.Event(), asyncio.Event()

    async def body(ctx: Context) -> None:
        async with ctx.completing():
            holding.set()
            await go.wait()

    async with node(url, a_job(body, OnDemand(), "t.long"), slots=7) as n:
        value = registry_of(n).get_sample_value
        await ask(connection, "t.long")
        await holding.wait()
        assert (value("sexton_slots_used"), value("sexton_slots_limit")) == (1, 7)
        assert value("sexton_database_connections", {"state": "used"}) == 1
        assert value("sexton_database_connections_limit") == 20
        assert value("sexton_database_connections_waiting") == 0
        assert value("sexton_database_connection_wait_seconds_count") == 1
        assert (value("sexton_database_connection_wait_seconds_sum") or 0) > 0
        assert (value("sexton_pool_workers_limit"), value("sexton_pool_workers", {"state": "busy"})) == (2, 0)
        go.set()
        await n.event(RunEnded)
        assert value("sexton_database_connections", {"state": "used"}) == 0
        assert value("sexton_slots_used") == 0


async def test_a_body_that_waits_for_a_connection_is_seen_waiting(url: str) -> None:
    async with node(url, a_job(nothing, OnDemand(), "t.one")) as n:
        n.engine.connections.size = 1
        value = registry_of(n).get_sample_value
        async with n.engine.connections.one():
            second = asyncio.create_task(connected(n))
            while not value("sexton_database_connections_waiting"):
                await asyncio.sleep(0)
        await second
        assert value("sexton_database_connections_waiting") == 0
        assert value("sexton_database_connection_wait_seconds_count") == 2


async def connected(n: Node) -> None:
    async with n.engine.connections.one():
        pass


async def test_a_lost_database_is_seen_and_the_lease_and_listen_with_it(url: str) -> None:
    async with wire(url) as w, node(w.url, a_job(nothing, OnDemand(), "t.one")) as n:
        value = registry_of(n).get_sample_value
        while not n.engine.listener.healthy:
            await asyncio.sleep(0.005)
        up = ("database_up", "listen_up", "lease_held", "node_ready")
        assert [value(f"sexton_{name}") for name in up] == [1, 1, 1, 1]
        assert 0 <= (value("sexton_listen_echo_age_seconds") or 0) < 120
        assert abs(value("sexton_clock_difference_seconds") or 0) < 120
        await w.cut()
        n.engine.wake("dispatcher", "lease", "listener")
        await n.engine.outage.begins()
        assert (value("sexton_database_up"), value("sexton_node_ready")) == (0, 0)
        n.engine.lease.deadline = 0.0
        assert value("sexton_lease_held") == 0
        await w.mend()
        await n.engine.outage.over()
        assert value("sexton_database_up") == 1


async def test_rows_count_once_they_are_committed(url: str, connection: asyncpg.Connection) -> None:
    await connection.execute("CREATE SCHEMA t; CREATE TABLE t.cup (id bigint)")

    async def body(ctx: Context) -> None:
        async with ctx.transaction(cursor=1) as tx:
            await tx.execute(LEAVE, 5)
            await tx.copy_records("t.cup", ["id"], [(8,), (9,)])
        async with ctx.transaction(cursor=2) as tx:
            await tx.execute(DRINK)
            await tx.fetch(sql.Statement("look", "SELECT * FROM t.cup", "test"))
        async with ctx.completing() as tx:
            await tx.execute(LEAVE, 100)
            raise ValueError("spilt")

    async with node(url, a_job(body, OnDemand(), "t.tea", retries=0)) as n:
        await ask(connection, "t.tea")
        ended = await n.event(RunEnded)
        assert (ended.outcome, dict(ended.written)) == ("failed", {"insert": 5, "copy": 2, "delete": 1})
