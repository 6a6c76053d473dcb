"""A queue of many items on real nodes: each is done exactly once, and a bad one costs only itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from daemon import Context, Job, Postponed, QueueItem, WorkQueue, poll, seconds, sql
from daemon.events import ItemDied, ItemsFinished, Note, RunEnded
from daemon.pool_messages import WorkerStartError
from tests.daemon.harness import node, rows

QUEUE = WorkQueue("test.queue", key="item_id")
TABLES = """
CREATE SCHEMA test;
CREATE TABLE test.queue (
    item_id bigint PRIMARY KEY, state text NOT NULL DEFAULT 'READY', priority smallint NOT NULL DEFAULT 0,
    enqueued_at timestamptz NOT NULL DEFAULT sexton.clock(),
    next_attempt_at timestamptz NOT NULL DEFAULT sexton.clock(),
    attempts int NOT NULL DEFAULT 0, failures int NOT NULL DEFAULT 0, rescues int NOT NULL DEFAULT 0,
    token bigint, lease_owner uuid, last_error text);
CREATE TRIGGER wake AFTER INSERT ON test.queue FOR EACH STATEMENT EXECUTE FUNCTION sexton.wake_queue();
CREATE TABLE test.effect (item_id bigint, value int NOT NULL CHECK (value <> 13));
"""
SAVE = sql.Statement("save", "INSERT INTO test.effect SELECT * FROM unnest($1::bigint[], $2::int[])", "test")
ENQUEUE = "INSERT INTO test.queue (item_id) SELECT generate_series($1::int, $2::int)"


@pytest.fixture
async def queue(connection: asyncpg.Connection) -> asyncpg.Connection:
    await connection.execute(TABLES)
    return connection


async def save(tx: Any, pairs: Sequence[tuple[QueueItem, int]]) -> None:
    await tx.execute(SAVE, [item.key for item, _ in pairs], [value for _, value in pairs])


def polling(perform: Any, every: float = 30) -> Job:
    @poll(seconds(every), wake=QUEUE)
    async def drainer(ctx: Context) -> dict[str, int]:
        done = 0
        async for drained in ctx.drain(QUEUE, perform, save):
            done += drained.done
        return {"done": done}

    return drainer


async def one(item: QueueItem) -> int:
    return 1


async def test_everything_in_the_queue_is_done_once_and_leaves_it(url: str, queue: asyncpg.Connection) -> None:
    await queue.execute(ENQUEUE, 1, 500)
    async with node(url, polling(one), queues=(QUEUE,)) as n:
        ended = await n.event(RunEnded)
    assert ended.outcome == "succeeded"
    assert await queue.fetchval("SELECT count(*) FROM test.queue") == 0
    assert await queue.fetchrow("SELECT count(*), count(DISTINCT item_id) FROM test.effect") == (500, 500)
    (run,) = await rows(queue, "SELECT trigger, state, result FROM sexton.run")
    assert run == {"trigger": "poll", "state": "succeeded", "result": '{"done": 500}'}


async def test_an_idle_poll_writes_nothing(url: str, queue: asyncpg.Connection) -> None:
    async with node(url, polling(one, every=0.05), queues=(QUEUE,)) as n:
        while n.engine.services[_poll_name(n)].steps < 5:
            await asyncio.sleep(0.01)
    assert await rows(queue, "SELECT * FROM sexton.run") == []


async def test_new_items_wake_the_poll_at_once(url: str, queue: asyncpg.Connection) -> None:
    async with node(url, polling(one, every=3600), queues=(QUEUE,)) as n:
        while not n.engine.listener.healthy:
            await asyncio.sleep(0.01)
        await queue.execute(ENQUEUE, 1, 3)
        await asyncio.wait_for(n.event(ItemsFinished, lambda e: e.done > 0), 60)


async def test_a_bad_item_is_retried_with_backoff_and_given_up_after_five(url: str, queue: asyncpg.Connection) -> None:
    async def perform(item: QueueItem) -> int:
        if item.key == 2:
            raise ValueError("no aircraft")
        return 1

    await queue.execute(ENQUEUE, 1, 3)
    async with node(url, polling(perform, every=3600), queues=(QUEUE,), retry_delay=0.01) as n:
        died = await n.event(ItemDied)
    assert (died.key, died.error) == (2, "ValueError: no aircraft")
    (left,) = await rows(queue, "SELECT item_id, state, failures, last_error FROM test.queue")
    assert left == {"item_id": 2, "state": "DEAD", "failures": 5, "last_error": "ValueError: no aircraft"}
    assert await queue.fetchval("SELECT count(*) FROM test.effect") == 2


async def test_an_item_that_cannot_be_saved_costs_only_itself(url: str, queue: asyncpg.Connection) -> None:
    async def perform(item: QueueItem) -> int:
        return 13 if item.key == 7 else 1

    await queue.execute(ENQUEUE, 1, 20)
    async with node(url, polling(perform, every=3600), queues=(QUEUE,)) as n:
        await n.event(RunEnded)
    assert await queue.fetchval("SELECT count(*) FROM test.effect") == 19
    (left,) = await rows(queue, "SELECT item_id, state, failures, last_error FROM test.queue")
    assert left["item_id"] == 7
    assert "CheckViolationError" in left["last_error"]


async def test_an_item_taken_over_meanwhile_drops_out_and_the_others_commit(
    url: str, queue: asyncpg.Connection
) -> None:
    async def perform(item: QueueItem) -> int:
        if item.key == 3:
            await queue.execute("UPDATE test.queue SET token = nextval('sexton.token') WHERE item_id = 3")
        return 1

    await queue.execute(ENQUEUE, 1, 5)
    async with node(url, polling(perform, every=3600), queues=(QUEUE,)) as n:
        await n.event(RunEnded)
    saved = {r["item_id"] for r in await rows(queue, "SELECT item_id FROM test.effect")}
    assert saved == {1, 2, 4, 5}


async def test_two_nodes_share_a_queue_and_repeat_nothing(url: str, queue: asyncpg.Connection) -> None:
    await queue.execute(ENQUEUE, 1, 400)

    async def perform(item: QueueItem) -> int:
        await asyncio.sleep(0.001)
        return 1

    job = polling(perform, every=3600)
    async with node(url, job, queues=(QUEUE,), home="/a") as a, node(url, job, queues=(QUEUE,), home="/b") as b:
        await asyncio.gather(a.event(RunEnded), b.event(RunEnded))
    assert await queue.fetchrow("SELECT count(*), count(DISTINCT item_id) FROM test.effect") == (400, 400)


async def test_a_stop_gives_items_back_unharmed(url: str, queue: asyncpg.Connection) -> None:
    performing = asyncio.Event()

    async def perform(_: QueueItem) -> int:
        performing.set()
        await asyncio.sleep(60)
        return 1

    await queue.execute(ENQUEUE, 1, 5)
    async with node(url, polling(perform, every=3600), queues=(QUEUE,)):
        await performing.wait()
    left = await rows(queue, "SELECT DISTINCT state, attempts, failures, lease_owner FROM test.queue")
    assert left == [{"state": "READY", "attempts": 0, "failures": 0, "lease_owner": None}]


async def test_a_dead_nodes_items_go_to_the_back_of_the_queue(url: str, queue: asyncpg.Connection) -> None:
    order: list[int] = []

    async def perform(item: QueueItem) -> int:
        order.append(item.key)
        return 1

    await queue.execute(ENQUEUE, 1, 30)
    await queue.execute(
        "INSERT INTO sexton.node (incarnation, name, home, version, lease_until) "
        "VALUES ('00000000-0000-0000-0000-000000000001', 'gone', '/gone', '0', sexton.clock() - interval '1 s')"
    )
    await queue.execute(
        "UPDATE test.queue SET state = 'RUNNING', token = 1, attempts = 1, "
        "lease_owner = '00000000-0000-0000-0000-000000000001' WHERE item_id <= 2"
    )
    async with node(url, polling(perform, every=0.1), queues=(QUEUE,), lease=0.5) as n:
        await n.event(ItemsFinished, lambda _: len(order) == 30)
    assert set(order[-2:]) == {1, 2}


async def test_a_postponed_item_goes_back_at_no_cost_until_its_delay_is_over(
    url: str, queue: asyncpg.Connection
) -> None:
    async def perform(item: QueueItem) -> int:
        if item.key == 2:
            raise Postponed("the broker is down", timedelta(minutes=3))
        return 1

    await queue.execute(ENQUEUE, 1, 3)
    async with node(url, polling(perform, every=3600), queues=(QUEUE,)) as n:
        ended = await n.event(RunEnded)
    assert ended.outcome == "succeeded"
    (left,) = await rows(
        queue,
        "SELECT item_id, state, failures, lease_owner, last_error, "
        "round(extract(epoch FROM next_attempt_at - sexton.clock()) / 10) AS tens FROM test.queue",
    )
    assert left == {
        "item_id": 2, "state": "READY", "failures": 0, "lease_owner": None, "tens": 18,
        "last_error": "the broker is down",
    }  # fmt: skip
    assert await queue.fetchval("SELECT count(*) FROM test.effect") == 2


async def test_an_outage_of_many_tries_kills_no_item_and_costs_one_line_a_batch(
    url: str, queue: asyncpg.Connection
) -> None:
    tries = 0
    counted: list[tuple[int, int]] = []

    async def perform(_: QueueItem) -> int:
        nonlocal tries
        tries += 1
        if tries <= 100:
            raise Postponed("the broker is down")
        return 1

    @poll(seconds(3600), wake=QUEUE)
    async def drainer(ctx: Context) -> None:
        async for drained in ctx.drain(QUEUE, perform, save):
            counted.append((drained.done, drained.postponed))  # noqa: PERF401 - events are awaited meanwhile

    await queue.execute(ENQUEUE, 1, 10)
    async with node(url, drainer, queues=(QUEUE,), retry_delay=0.01) as n:
        await n.event(ItemsFinished, lambda _: sum(done for done, _ in counted) == 10)
        notes = [e.text for e in n.events if isinstance(e, Note) and "postponed" in e.text]
    assert sum(postponed for _, postponed in counted) == 100
    assert len(notes) == sum(postponed > 0 for _, postponed in counted)
    assert notes[0].endswith("postponed: the broker is down")
    assert not any(isinstance(e, ItemDied) for e in n.events)
    assert await queue.fetchval("SELECT count(*) FROM test.queue") == 0


async def test_an_item_that_no_worker_could_begin_is_postponed(url: str, queue: asyncpg.Connection) -> None:
    async def perform(_: QueueItem) -> int:
        raise WorkerStartError("out of memory", 3, 5.0)

    await queue.execute(ENQUEUE, 1, 1)
    async with node(url, polling(perform, every=3600), queues=(QUEUE,)) as n:
        await n.event(RunEnded)
    (left,) = await rows(queue, "SELECT state, failures, last_error FROM test.queue")
    assert (left["state"], left["failures"]) == ("READY", 0)
    assert "out of memory" in left["last_error"]


@pytest.mark.parametrize(("table", "outcome"), [("test.missing", "failed"), ("test.deadlock", "succeeded")])
async def test_what_is_no_items_doing_costs_none_of_them_a_try(
    url: str, queue: asyncpg.Connection, table: str, outcome: str
) -> None:
    """A missing table fails the run, a deadlock only delays; the items wait, unharmed."""
    await queue.execute(
        "CREATE TABLE test.deadlock (item_id bigint, value int);"
        "CREATE FUNCTION test.deadlock() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01'; END$$;"
        "CREATE TRIGGER deadlock BEFORE INSERT ON test.deadlock FOR EACH ROW EXECUTE FUNCTION test.deadlock();"
    )

    async def save_there(tx: Any, pairs: Sequence[tuple[QueueItem, int]]) -> None:
        await tx.copy_records(table, ("item_id", "value"), [(item.key, value) for item, value in pairs])

    @poll(seconds(3600), wake=QUEUE)
    async def drainer(ctx: Context) -> None:
        async for _ in ctx.drain(QUEUE, one, save_there):
            pass

    await queue.execute(ENQUEUE, 1, 4)
    async with node(url, drainer, queues=(QUEUE,)) as n:
        ended = await n.event(RunEnded)
    assert ended.outcome == outcome
    query = "SELECT DISTINCT state, failures, next_attempt_at > sexton.clock() AS later FROM test.queue"
    left = await rows(queue, query)
    assert left == [{"state": "READY", "failures": 0, "later": True}]


def _poll_name(n: Any) -> str:
    return next(name for name in n.engine.services if name.startswith("poll "))
