"""Lease the node: renewed, watched, and given up by its holder before anybody may take it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from daemon import Context, OnDemand
from daemon.clock import boottime
from daemon.database import DatabaseDown, Link, Outage
from daemon.events import DatabaseLost, Event, LeaseLost, Rescued, RunEnded, RunStarted
from daemon.lease import MARGIN, RENEWALS_PER_LEASE, NodeLease
from tests.daemon.asking import ask, the_run
from tests.daemon.cuttable import wire
from tests.daemon.harness import a_job, node, rows

LEASE = 1.0


class Held:
    """A lease by itself, and what became of it."""

    def __init__(self, url: str, home: str, lease: float) -> None:
        self.events: list[Event] = []
        self.stopped: list[tuple[str, float]] = []
        self.link = Link(lambda: url, lambda: f"sexton lease {self.lease.incarnation}", Outage(self.events.append))
        self.lease = NodeLease(
            link=self.link, name=home, home=home, version="0", lease=lease, emit=self.events.append,
            learn_clock=lambda *_: None, stop_work=lambda why: self.stopped.append((why, boottime())),
            renamed=self.renamed,
        )  # fmt: skip

    async def renamed(self) -> None:
        self.link.drop()


@asynccontextmanager
async def held(url: str, home: str = "/a", lease: float = LEASE) -> AsyncIterator[Held]:
    made = Held(url, home, lease)
    await made.lease.register([])
    fence = asyncio.create_task(made.lease.fence_when_due())
    try:
        yield made
    finally:
        fence.cancel()
        await made.link.close()


async def test_a_renewal_moves_the_deadline_and_the_row(url: str, connection: asyncpg.Connection) -> None:
    async with held(url) as h:
        deadline, until = h.lease.deadline, await connection.fetchval("SELECT lease_until FROM sexton.node")
        assert await h.lease.step() == LEASE / RENEWALS_PER_LEASE
        assert h.lease.holds
        assert h.lease.deadline > deadline
        assert await connection.fetchval("SELECT lease_until FROM sexton.node") > until


async def test_a_node_that_cannot_renew_stops_its_work_before_its_lease_can_be_given_away(
    url: str, connection: asyncpg.Connection
) -> None:
    lease = 5.0  # a busy machine may stop us for as long as the margin of it
    async with wire(url) as w, held(w.url, lease=lease) as h:
        sent = boottime()
        await h.lease.step()
        await w.cut()
        with pytest.raises(DatabaseDown):
            await h.lease.step()
        while not h.stopped:
            await asyncio.sleep(0.01)
        ((why, at),) = h.stopped
        assert why == "the lease could not be renewed in time"
        assert lease * (1 - MARGIN) <= at - sent < lease
        assert not h.lease.holds
        assert await connection.fetchval("SELECT lease_until > sexton.clock() FROM sexton.node")
        assert [type(e) for e in h.events] == [DatabaseLost, LeaseLost]
        await asyncio.sleep(lease * MARGIN + 0.3)  # it looks again, and says it once
        assert len(h.stopped) == 1
        await w.mend()
        await h.lease.step()
        assert h.lease.holds


async def test_a_lease_is_not_taken_while_it_moves_nor_before_it_was_watched_for_a_whole_one(
    url: str, connection: asyncpg.Connection
) -> None:
    lease = 2.0
    async with held(url, "/a", lease) as a, held(url, "/b", lease) as b:
        renewed = 0.0
        for _ in range(4):
            await a.lease.step()
            renewed = boottime()
            await b.lease.step()
            await asyncio.sleep(0.2)
        assert a.events == b.events == []
        while not b.events:
            await b.lease.step()
            await asyncio.sleep(0.1)
        assert boottime() - renewed >= lease
        assert isinstance(b.events[-1], Rescued)
        assert b.events[-1].node == "/a"
        assert a.stopped[0][1] < boottime()


async def test_a_node_that_was_buried_begins_again_under_another_name(url: str, connection: asyncpg.Connection) -> None:
    async with held(url) as h:
        first = h.lease.incarnation
        await connection.execute("UPDATE sexton.node SET dead_at = sexton.clock()")
        await h.lease.step()
        assert h.lease.incarnation != first
        assert [why for why, _ in h.stopped] == ["another node took over"]
        assert h.lease.holds
    alive = await rows(connection, "SELECT incarnation FROM sexton.node WHERE dead_at IS NULL")
    assert [r["incarnation"] for r in alive] == [h.lease.incarnation]


async def test_a_dead_nodes_sessions_are_ended_and_nobody_elses(url: str, connection: asyncpg.Connection) -> None:
    async with held(url, "/a") as dead, held(url, "/b") as living:
        frozen = await asyncpg.connect(
            url, server_settings={"application_name": f"sexton job {dead.lease.incarnation}"}
        )
        await frozen.execute("BEGIN; LOCK TABLE sexton.event")
        await living.lease.rescue(dead.lease.incarnation, "/a", "a test", even_if_alive=True)
        await asyncio.wait_for(connection.execute("INSERT INTO sexton.event (kind) VALUES ('x')"), 60)
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await frozen.execute("SELECT 1")
        await living.lease.step()
        assert living.events == [Rescued("/a", 0, 0)]
        frozen.terminate()


async def test_a_node_that_froze_while_it_wrote_does_not_hold_up_its_rescue(
    url: str, connection: asyncpg.Connection
) -> None:
    """In the middle of a COPY a session is not idle: no timeout of the server's ends what it holds."""
    frozen, begun = asyncio.Event(), asyncio.Event()

    async def half_a_copy() -> AsyncIterator[bytes]:
        yield b"1\n"
        begun.set()
        await frozen.wait()

    async with held(url, "/a") as dead, held(url, "/b") as living:
        run = await ask(connection, "t.long")
        victim = dead.lease.incarnation
        await connection.execute(
            "UPDATE sexton.run SET state = 'running', attempt = 1, started_at = now(), node = $1", victim
        )
        writer = await asyncpg.connect(url, server_settings={"application_name": f"sexton job {victim}"})
        await writer.execute("BEGIN; CREATE TEMPORARY TABLE paid (n int); SELECT FROM sexton.run FOR UPDATE")
        copying = asyncio.create_task(writer.copy_to_table("paid", source=half_a_copy()))
        await begun.wait()
        async with asyncio.timeout(60):
            await living.lease.rescue(victim, "/a", "a test", even_if_alive=True)
        assert living.events == [Rescued("/a", 1, 0)]
        assert (await the_run(connection, run))["rescues"] == 1
        frozen.set()
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await copying
        writer.terminate()


async def test_only_one_of_several_rescuers_rescues(url: str, connection: asyncpg.Connection) -> None:
    async with held(url, "/a") as dead, held(url, "/b") as b, held(url, "/c") as c:
        victim = dead.lease.incarnation
        await asyncio.gather(*(h.lease.rescue(victim, "/a", "x", even_if_alive=True) for h in (b, c)))
        assert len([e for e in (*b.events, *c.events) if isinstance(e, Rescued)]) == 1


async def test_a_node_that_leaves_in_good_order_leaves_nothing_to_rescue(
    url: str, connection: asyncpg.Connection
) -> None:
    async with held(url) as h:
        await h.lease.publish('{"running": []}')
        await h.lease.retire("stopped")
    (row,) = await rows(connection, "SELECT dead_at IS NOT NULL AS dead, dead_reason FROM sexton.node")
    assert (row["dead"], row["dead_reason"]) == (True, "stopped")


async def test_a_running_body_is_stopped_by_the_fence_and_its_run_is_done_again_at_no_cost(
    url: str, connection: asyncpg.Connection
) -> None:
    async def body(ctx: Context) -> None:
        if ctx.attempt == 1:
            await asyncio.sleep(60)

    async with wire(url) as w, node(w.url, a_job(body, OnDemand(), "t.long"), lease=LEASE) as n:
        run = await ask(connection, "t.long")
        await n.event(RunStarted)
        await w.cut()
        await n.event(LeaseLost)
        assert not n.engine.may_claim
        await w.mend()
        await n.event(RunEnded, lambda e: e.outcome == "succeeded")
    row = await the_run(connection, run)
    assert (row["state"], row["failures"]) == ("succeeded", 0)
