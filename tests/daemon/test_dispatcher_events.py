"""`@on`: an event row gets exactly one run of each job that handles its kind, whoever hands it out."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg

from daemon import Context, on
from daemon.events import RunEnded, ServiceFailed
from daemon.job import Job, OnEvent
from tests.daemon.harness import a_job, node, rows

EVENT_RUNS = "SELECT * FROM sexton.run WHERE trigger = 'event' ORDER BY due_at, id"
UNTOLD = "SELECT count(*) FROM sexton.event WHERE dispatched_at IS NULL"


async def nothing(_: Context) -> None:
    """Do nothing."""


def handler(body: Any = nothing, name: str = "t.on", **options: Any) -> Job:
    declared = on("tea.ready", **options)(body)
    return a_job(body, declared.trigger, name, overlap=declared.overlap, **options)


async def happen(connection: asyncpg.Connection, count: int, kind: str = "tea.ready") -> None:
    """`count` events of one statement; `at` is each row's own reading of the clock."""
    await connection.execute(
        "INSERT INTO sexton.event (kind, payload) SELECT $1, jsonb_build_object('cup', n) "
        "FROM generate_series(1, $2::int) n",
        kind, count,
    )  # fmt: skip


async def test_a_handler_finds_the_payload_in_its_arguments(url: str, connection: asyncpg.Connection) -> None:
    async def body(ctx: Context) -> object:
        return {"cup": ctx.args["payload"]["cup"], "kind": ctx.args["kind"], "late": ctx.due_at > ctx.now()}

    async with node(url, handler(body)) as n:
        await happen(connection, 1)
        await n.event(RunEnded)
    (run,) = await rows(connection, EVENT_RUNS)
    assert run["result"] == '{"cup": 1, "kind": "tea.ready", "late": false}'


async def test_each_event_gets_one_run_however_many_come_at_once(url: str, connection: asyncpg.Connection) -> None:
    seen: list[int] = []

    async def body(ctx: Context) -> None:
        seen.append(ctx.args["payload"]["cup"])

    async with node(url, handler(body), slots=500) as n:
        await happen(connection, 1500)
        while len(seen) < 1500:
            await asyncio.sleep(0.01)
        assert not [e for e in n.events if isinstance(e, ServiceFailed)]
    assert sorted(seen) == list(range(1, 1501))
    assert await connection.fetchval(UNTOLD) == 0


async def test_events_of_the_same_and_the_next_microsecond_do_not_collide(
    url: str, connection: asyncpg.Connection
) -> None:
    async with node(url, handler()) as n:
        for shifts in ([0, 0, 1, 1], [0, 1], [2]):
            await connection.execute(
                "INSERT INTO sexton.event (kind, at) SELECT 'tea.ready', timestamptz '2026-03-01 12:00Z' "
                "+ s * interval '1 microsecond' FROM unnest($1::int[]) s",
                shifts,
            )
            n.engine.wake("dispatcher")
            await asyncio.sleep(0.05)
        await n.event(RunEnded, count=7)
        assert not [e for e in n.events if isinstance(e, ServiceFailed)]
    found = await rows(connection, EVENT_RUNS)
    assert len(found) == len({r["due_at"] for r in found}) == len({r["args"] for r in found}) == 7


async def test_two_nodes_give_an_event_one_run(url: str, connection: asyncpg.Connection) -> None:
    async with node(url, handler(), home="/a") as a, node(url, handler(), home="/b") as b:
        for _ in range(20):
            await happen(connection, 10)
            a.engine.wake("dispatcher")
            b.engine.wake("dispatcher")
        while len([e for e in (*a.events, *b.events) if isinstance(e, RunEnded)]) < 200:
            await asyncio.sleep(0.01)
        assert not [e for e in (*a.events, *b.events) if isinstance(e, ServiceFailed)]
    found = await rows(connection, EVENT_RUNS)
    assert len(found) == 200
    assert {r["state"] for r in found} == {"succeeded"}
    assert await connection.fetchval(UNTOLD) == 0


async def test_every_job_that_handles_a_kind_gets_its_own_run(url: str, connection: asyncpg.Connection) -> None:
    async with node(url, handler(name="t.a"), handler(name="t.b")) as n:
        await happen(connection, 3)
        await n.event(RunEnded, count=6)
    assert sorted(r["job"] for r in await rows(connection, EVENT_RUNS)) == ["t.a"] * 3 + ["t.b"] * 3


async def test_an_event_that_nobody_here_handles_waits_for_a_node_that_does(
    url: str, connection: asyncpg.Connection
) -> None:
    async with node(url, a_job(nothing, OnEvent("coffee.ready"), "t.coffee")) as n:
        await happen(connection, 1)
        await n.engine.dispatcher.step()
        assert await connection.fetchval(UNTOLD) == 1
    async with node(url, handler()) as n:
        await n.event(RunEnded)


async def test_events_of_a_paused_handler_wait_until_it_is_resumed(url: str, connection: asyncpg.Connection) -> None:
    await connection.execute(
        "INSERT INTO sexton.job (name, schedule_fingerprint, evaluated_until, paused_by) "
        "VALUES ('t.on', 'event tea.ready', sexton.clock(), 'asha')"
    )
    await happen(connection, 2)
    async with node(url, handler()) as n:
        assert n.engine.roster.paused == {"t.on": "asha"}  # from the first moment
        await n.engine.dispatcher.step()
        assert await connection.fetchval(UNTOLD) == 2
        await connection.execute("UPDATE sexton.job SET paused_by = NULL; SELECT pg_notify('sexton', 'job:t.on')")
        while n.engine.roster.paused:
            await asyncio.sleep(0.01)
        n.engine.wake("dispatcher")
        await n.event(RunEnded, count=2)
