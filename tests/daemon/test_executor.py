"""However a body ends, it is one of a few endings, and nobody else's run is touched by it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from daemon import Context, OnDemand
from daemon.database import DatabaseDown
from daemon.events import RunEnded, ServiceFailed
from daemon.fence import Fenced
from daemon.ledger import Claimed
from tests.daemon.asking import ask, statement, the_run
from tests.daemon.harness import a_job, node


async def nothing(_: Context) -> None:
    """Do nothing."""


def returning(value: object) -> Callable[[Context], Any]:
    async def body(_: Context) -> object:
        return value

    return body


def raising(error: BaseException) -> Callable[[Context], Any]:
    async def body(_: Context) -> None:
        raise error

    return body


async def cancelled_from_inside(_: Context) -> None:
    inner = asyncio.create_task(asyncio.sleep(60))
    await asyncio.sleep(0)
    inner.cancel()
    await inner


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (returning(object()), "TypeError: a object cannot be kept as JSON"),
        (returning({"rate": float("nan")}), "ValueError: "),
        (returning([[]]), None),
        (returning("a\x00b\ud800"), None),
        (raising(ValueError("a\x00b\ud800")), "ValueError: a\ufffdb?"),
        (raising(SystemExit(1)), "SystemExit: 1"),
        (raising(asyncio.CancelledError()), "CancelledError"),
        (cancelled_from_inside, "CancelledError"),
        (raising(ExceptionGroup("two", [ValueError("a"), KeyError("b")])), "ExceptionGroup: two (2 sub-exceptions)"),
    ],
)
async def test_no_ending_whatever_stops_the_node_or_is_left_unrecorded(
    url: str, connection: asyncpg.Connection, body: Any, error: str | None
) -> None:
    jobs = [a_job(body, OnDemand(), "t.odd", retries=0), a_job(nothing, OnDemand(), "t.even")]
    async with node(url, *jobs) as n:
        odd = await ask(connection, "t.odd")
        await n.event(RunEnded, lambda e: e.job == "t.odd")
        await ask(connection, "t.even")
        await n.event(RunEnded, lambda e: e.job == "t.even" and e.outcome == "succeeded")
        assert not [e for e in n.events if isinstance(e, ServiceFailed)]
        assert n.engine.slots.used_runs == 0
    run = await the_run(connection, odd)
    assert run["state"] == ("failed" if error else "succeeded")
    assert (run["error"] or "").startswith(error or "")


@pytest.mark.parametrize(
    ("error", "outcome", "state"),
    [
        (ExceptionGroup("g", [DatabaseDown("gone"), DatabaseDown("gone")]), "database lost", "ready"),
        (ExceptionGroup("g", [ExceptionGroup("h", [Fenced("theirs")]), ValueError("x")]), "fenced", "running"),
        (ExceptionGroup("g", [DatabaseDown("gone"), ValueError("x")]), "failed", "failed"),
    ],
)
async def test_what_tasks_of_a_body_raise_together_counts_as_what_it_is(
    url: str, connection: asyncpg.Connection, error: Exception, outcome: str, state: str
) -> None:
    async with node(url, a_job(raising(error), OnDemand(), "t.odd", retries=0), slots=1) as n:
        run = await ask(connection, "t.odd")
        ended = await n.event(RunEnded)
        n.engine.claiming = False
    assert ended.outcome == outcome
    assert (await the_run(connection, run))["failures"] == (outcome == "failed")


async def test_a_result_that_cannot_be_kept_undoes_the_effects_it_reports(
    url: str, connection: asyncpg.Connection
) -> None:
    await connection.execute("CREATE SCHEMA t; CREATE TABLE t.effect (run bigint)")

    async def body(ctx: Context) -> None:
        async with ctx.completing() as tx:
            await tx.execute(statement("INSERT INTO effect VALUES ($1)"), ctx.run_id)
            tx.result(object())

    async with node(url, a_job(body, OnDemand(), "t.odd", retries=0)) as n:
        await ask(connection, "t.odd")
        ended = await n.event(RunEnded)
    assert ended.outcome == "failed"
    assert await connection.fetchval("SELECT count(*) FROM t.effect") == 0


async def test_a_body_that_fails_after_its_success_was_committed_has_succeeded(
    url: str, connection: asyncpg.Connection
) -> None:
    async def body(ctx: Context) -> None:
        async with ctx.completing() as tx:
            tx.result({"paid": 1})
        raise RuntimeError("only the farewell failed")

    async with node(url, a_job(body, OnDemand(), "t.odd")) as n:
        run = await ask(connection, "t.odd")
        ended = await n.event(RunEnded)
    assert ended.outcome == "succeeded"
    assert (await the_run(connection, run))["result"] == '{"paid": 1}'


async def test_a_claim_that_is_answered_after_the_node_has_left_begins_nothing(url: str) -> None:
    async with node(url, a_job(nothing, OnDemand(), "t.late")) as n:
        executor, now = n.engine.executor, n.engine.clock.now()
    executor.start([Claimed(1, "t.late", now, now.date(), 1, now)])
    assert not executor.active
    assert not n.engine.slots.used_runs
