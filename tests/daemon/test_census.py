"""What the tables hold, as one node tells it to whoever scrapes."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from daemon import Context, Cron, Every, OnDemand, WorkQueue
from daemon.census import Census, census_of
from daemon.events import Note
from daemon.metrics_tables import TableMetrics
from daemon.scrape import Refresher
from tests.daemon.cuttable import wire
from tests.daemon.harness import Node, a_job, node

CUP = WorkQueue("t.cup", "id")
CUPS = """
    CREATE SCHEMA t; CREATE TABLE t.cup (id bigint, state text, enqueued_at timestamptz, token bigint,
        lease_owner uuid, attempts int, next_attempt_at timestamptz, rescues int, last_error text);
    INSERT INTO t.cup (id, state, enqueued_at) SELECT n, CASE WHEN n < 4 THEN 'READY' ELSE 'DEAD' END,
        now() - interval '90 s' FROM generate_series(1, 5) n
"""
A_RUN = """
    INSERT INTO sexton.run (job, due_at, logical_date, trigger, state, reason, not_before, count, strict, started_at,
                            finished_at)
    VALUES ($1, $2, current_date, 'schedule', $3, 'why', $2, $4, $5, $2, $6)
"""
NOW = datetime.now(UTC)
HOURLY = Cron("0 * * * *", tz="UTC")


async def nothing(_: Context) -> None: ...


async def serves_metrics(n: Node) -> None:
    await n.engine.lease.publish(json.dumps({"metrics": True}))


def shown(census: Census, name: str, **labels: str) -> float | None:
    registry = CollectorRegistry()
    registry.register(TableMetrics(lambda: census.told))
    return registry.get_sample_value(name, labels)


async def counted(n: Node) -> Census:
    await serves_metrics(n)
    census = census_of(n.engine, n.hear)
    await census.take()
    return census


async def a_run(
    connection: asyncpg.Connection, job: str, state: str, *, hours: float = 1, count: int = 1, strict: bool = False,
    finished: datetime | None = None,
) -> None:  # fmt: skip
    due = NOW - timedelta(hours=hours)
    await connection.execute(A_RUN, job, due, state, count, strict, finished)


async def test_queues_messages_and_nodes_are_counted(url: str, connection: asyncpg.Connection) -> None:
    await connection.execute(CUPS)
    await connection.execute(
        "INSERT INTO sexton.outbox (channel, address, template, data, kind, dedupe_key, not_before) "
        "SELECT 'sms', '+491', 'hello', '{}', 'security', n::text, now() - interval '61 s' FROM generate_series(1, 7) n"
    )
    await connection.execute("INSERT INTO sexton.event (kind, at) VALUES ('tea', now() - interval '1 hour')")
    await connection.execute("INSERT INTO sexton.audit (who, origin, action, target) VALUES ('a', 'cli', 'pause', 't')")
    async with node(url, a_job(nothing, OnDemand(), "t.one"), queues=(CUP,)) as n:
        census = await counted(n)
        assert shown(census, "sexton_queue_depth", queue="t.cup", state="ready") == 3
        assert shown(census, "sexton_queue_depth", queue="t.cup", state="dead") == 2
        assert (shown(census, "sexton_queue_oldest_age_seconds", queue="t.cup") or 0) > 89
        assert shown(census, "sexton_outbox_messages", channel="sms", status="pending") == 7
        assert shown(census, "sexton_outbox_messages", channel="email", status="pending") == 0
        assert (shown(census, "sexton_outbox_oldest_age_seconds", channel="sms") or 0) > 60
        assert shown(census, "sexton_events_waiting") == 1
        assert (shown(census, "sexton_events_oldest_age_seconds") or 0) >= 3600
        assert shown(census, "sexton_actions_total", action="pause") == 1
        assert shown(census, "sexton_nodes", state="alive") == 1
        assert shown(census, "sexton_nodes", state="gone") == 0


async def test_instants_that_are_not_over_are_counted_by_job_and_state(
    url: str, connection: asyncpg.Connection
) -> None:
    await a_run(connection, "t.one", "held", count=30, hours=2)
    await a_run(connection, "t.one", "failed", hours=3, strict=True)
    await a_run(connection, "t.one", "failed", hours=4)
    await a_run(connection, "t.one", "succeeded", hours=5, finished=NOW)
    await a_run(connection, "t.stranger", "ready", hours=6)
    async with node(url, a_job(nothing, OnDemand(), "t.one"), claiming=False) as n:
        census = await counted(n)

        def of(state: str, job: str = "t.one", name: str = "sexton_job_instants") -> float | None:
            return shown(census, name, suite="t", job_name=job, state=state)

        assert [of(state) for state in ("ready", "waiting", "held", "running", "failed")] == [0, 0, 30, 0, 1]
        assert of("ready", "t.stranger") == 1  # nobody here knows the job: all the more reason to tell
        age = of("held", name="sexton_job_instant_oldest_age_seconds")
        assert age is not None
        assert age > 7200


async def test_the_last_success_comes_from_the_ledger_whoever_ran_it(url: str, connection: asyncpg.Connection) -> None:
    finished = NOW - timedelta(hours=7)
    await a_run(connection, "t.hourly", "succeeded", hours=7.5, finished=finished)
    async with node(url, a_job(nothing, HOURLY, "t.hourly"), a_job(nothing, HOURLY, "t.new"), claiming=False) as n:
        census = await counted(n)
        job = {"suite": "t", "job_name": "t.hourly"}
        assert shown(census, "sexton_job_last_success_timestamp_seconds", **job) == pytest.approx(finished.timestamp())
        late = shown(census, "sexton_job_success_expected_by_timestamp_seconds", **job)
        twice = shown(census, "sexton_job_second_success_expected_by_timestamp_seconds", **job)
        assert late is not None
        assert twice == late + 3600
        assert late < NOW.timestamp()
        new = {"suite": "t", "job_name": "t.new"}
        assert shown(census, "sexton_job_last_success_timestamp_seconds", **new) is None
        assert (shown(census, "sexton_job_success_expected_by_timestamp_seconds", **new) or 0) > NOW.timestamp()
        await a_run(connection, "t.hourly", "succeeded", hours=0.1, finished=NOW)
        await a_run(connection, "t.hourly", "succeeded", hours=30, finished=NOW)  # made up for: not the latest
        await census.take()
        assert shown(census, "sexton_job_last_success_timestamp_seconds", **job) == pytest.approx(NOW.timestamp())


async def test_a_job_that_says_how_long_it_usually_takes_can_be_held_to_it(url: str) -> None:
    brisk = a_job(nothing, HOURLY, "t.brisk", expected=timedelta(minutes=2))
    async with node(url, brisk, a_job(nothing, HOURLY, "t.any"), claiming=False) as n:
        census = await counted(n)
        name = "sexton_job_expected_duration_seconds"
        assert shown(census, name, suite="t", job_name="t.brisk") == 120
        assert shown(census, name, suite="t", job_name="t.any") is None


async def test_a_paused_job_owes_nothing_and_a_resumed_one_only_what_comes(
    url: str, connection: asyncpg.Connection
) -> None:
    await a_run(connection, "t.hourly", "succeeded", hours=30, finished=NOW - timedelta(hours=30))
    job = {"suite": "t", "job_name": "t.hourly"}
    async with node(url, a_job(nothing, HOURLY, "t.hourly"), claiming=False) as n:
        await connection.execute("UPDATE sexton.job SET paused_by = 'asha', changed_at = now()")
        census = await counted(n)
        assert shown(census, "sexton_job_paused", **job) == 1
        assert shown(census, "sexton_job_success_expected_by_timestamp_seconds", **job) is None
        await connection.execute("UPDATE sexton.job SET paused_by = NULL, changed_at = now()")
        await census.take()
        assert shown(census, "sexton_job_paused", **job) == 0
        assert (shown(census, "sexton_job_success_expected_by_timestamp_seconds", **job) or 0) > NOW.timestamp()


async def test_one_node_of_those_that_serve_metrics_tells(url: str, connection: asyncpg.Connection) -> None:
    """So a sum over nodes counts each row once; the next one takes over when it has gone."""
    one = a_job(nothing, OnDemand(), "t.one")
    async with node(url, one, home="/a") as off, node(url, one, home="/b") as b:
        await off.engine.lease.publish(json.dumps({"metrics": False}))
        async with node(url, one, home="/c") as a:
            second, first = await counted(b), await counted(a)
            assert (second.told is None, first.told is None) == (False, True)
            assert shown(second, "sexton_tells_of_tables") == 1
            assert shown(first, "sexton_tells_of_tables") == 0
            assert shown(first, "sexton_events_waiting") is None
            await connection.execute(
                "UPDATE sexton.node SET lease_until = now() - interval '1 s' WHERE incarnation = $1",
                b.engine.lease.incarnation,
            )
            b.engine.lease.deadline = 0.0
            await first.take()
            assert second.told is None
            assert shown(first, "sexton_events_waiting") == 0


async def test_a_node_that_was_taken_for_dead_tells_nothing_of_its_earlier_life(url: str) -> None:
    async with node(url, a_job(nothing, OnDemand(), "t.one")) as n:
        census = await counted(n)
        assert census.told is not None
        n.engine.lease.incarnation = uuid4()
        assert n.engine.lease.holds
        assert census.told is None


async def test_a_table_that_cannot_be_counted_is_complained_of_once(url: str) -> None:
    async with node(url, a_job(nothing, OnDemand(), "t.one"), queues=(), claiming=False) as n:
        await serves_metrics(n)
        census = census_of(n.engine, n.hear)
        census.queues = (WorkQueue("t.missing", "id"),)
        await census.take()
        await census.take()
        said = [event for event in n.events if isinstance(event, Note) and "cannot be counted" in event.text]
        assert len(said) == 1
        assert 'relation "t.missing" does not exist' in said[0].text
        assert census.failures == 2


async def test_a_scrape_counts_once_a_second_and_never_waits_for_a_lost_database(
    url: str, connection: asyncpg.Connection
) -> None:
    async with wire(url) as w, node(w.url, a_job(nothing, Every(3600, phase=0), "t.one")) as n:
        await serves_metrics(n)
        census = census_of(n.engine, n.hear)
        refresh = Refresher(census.take, asyncio.get_running_loop())
        await asyncio.to_thread(refresh)
        assert shown(census, "sexton_events_waiting") == 0
        await connection.execute("INSERT INTO sexton.event (kind) VALUES ('tea')")
        refresh._due_at = time.monotonic() + 60
        await asyncio.to_thread(refresh)
        assert shown(census, "sexton_events_waiting") == 0  # fresh enough
        refresh._due_at = 0.0
        await asyncio.to_thread(refresh)
        assert shown(census, "sexton_events_waiting") == 1
        await w.cut()
        refresh._due_at = 0.0
        await asyncio.to_thread(refresh)
        assert shown(census, "sexton_events_waiting") == 1  # what was known a moment ago
        n.engine.lease.deadline = 0.0
        assert shown(census, "sexton_events_waiting") is None  # another node may tell by now
        await w.mend()
        await n.engine.outage.over()


async def test_a_count_that_takes_long_is_served_later_and_not_begun_twice() -> None:
    begun: list[int] = []
    go = asyncio.Event()

    async def slow() -> None:
        begun.append(1)
        await go.wait()

    refresh: Any = Refresher(slow, asyncio.get_running_loop())
    await asyncio.gather(asyncio.to_thread(refresh), asyncio.to_thread(refresh))
    assert begun == [1]
    go.set()
    await asyncio.wrap_future(refresh._asked)
    await asyncio.to_thread(refresh)
    assert begun == [1]  # it took two seconds: the next one is due in forty
    assert refresh._due_at - time.monotonic() > 30
    refresh._due_at = 0.0
    await asyncio.to_thread(refresh)
    assert begun == [1, 1]
