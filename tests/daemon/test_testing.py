"""`perform`: one body exactly as production would run it, at a time of the test's choosing."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from daemon import Context, Cron, Held, OnDemand
from daemon.events import Event
from daemon.testing import connect, perform
from tests.daemon.asking import statement, the_run
from tests.daemon.harness import a_job

DUE = datetime(2026, 3, 1, tzinfo=UTC)


def double(n: int) -> int:
    return 2 * n


async def test_a_performed_run_is_in_the_ledger_as_any_other(url: str, connection: asyncpg.Connection) -> None:
    async def body(ctx: Context) -> object:
        return {"now": ctx.now(), "twice": await ctx.compute(double, 21), "workers": ctx.free_workers}

    run = await perform(a_job(body, Cron("0 0 * * *"), "t.one"), url=url, due_at=DUE)
    assert (run.ending, run.error) == ("succeeded", None)
    assert run.result == {"now": DUE, "twice": 42, "workers": 5}
    row = await the_run(connection, run.id)
    assert (row["state"], row["due_at"], row["logical_date"], row["attempt"]) == ("succeeded", DUE, DUE.date(), 1)
    assert row["result"].startswith('{"now": "2026-03-01T00:00:00+00:00"')


async def test_a_failure_is_a_value_and_keeps_its_attempt(url: str, connection: asyncpg.Connection) -> None:
    async def body(_: Context) -> None:
        raise ValueError("no tea")

    run = await perform(a_job(body, OnDemand(), "t.one"), url=url, due_at=DUE)
    assert (run.ending, run.error) == ("failed", "ValueError: no tea")
    assert await connection.fetchval("SELECT error FROM sexton.attempt WHERE run = $1", run.id) == "ValueError: no tea"


async def test_each_release_of_a_held_run_allows_what_was_asked(url: str, connection: asyncpg.Connection) -> None:
    granted: list[dict[str, object]] = []
    asked = [Held("many?", grants={"rows": 10, "by": DUE.date()}), Held("more?", grants={"rows": 20}), Held("sure?")]

    async def body(ctx: Context) -> None:
        granted.append(dict(await ctx.granted()))
        if len(granted) <= len(asked):
            raise asked[len(granted) - 1]

    job = a_job(body, OnDemand(), "t.one")
    run = await perform(job, url=url, due_at=DUE)
    while run.ending == "held":
        run = await perform(job, url=url, due_at=DUE, resume=run.id)
    first, second = {"rows": 10, "by": "2026-03-01"}, {"rows": 20, "by": "2026-03-01"}
    assert (run.ending, granted) == ("succeeded", [{}, first, second, second])


def test_a_grant_that_cannot_be_kept_is_refused_where_it_is_said() -> None:
    with pytest.raises(TypeError, match="cannot be kept as JSON"):
        Held("may I?", grants={"lock": object()})


async def test_a_timeout_ends_the_body(url: str) -> None:
    async def body(_: Context) -> None:
        await asyncio.sleep(60)

    run = await perform(a_job(body, OnDemand(), "t.one", timeout=timedelta(seconds=0.1)), url=url, due_at=DUE)
    assert (run.ending, run.error) == ("timed out", "timed out after 0.1 s")


async def test_a_run_is_fenced_as_in_production(url: str, connection: asyncpg.Connection) -> None:
    await connection.execute("CREATE SCHEMA t; CREATE TABLE t.effect (n int)")

    async def body(ctx: Context) -> None:
        async with ctx.completing() as tx:
            await tx.execute(statement("INSERT INTO effect VALUES (1)"))
            await connection.execute("UPDATE sexton.run SET token = nextval('sexton.token')")

    heard: list[Event] = []
    run = await perform(a_job(body, OnDemand(), "t.one"), url=url, due_at=DUE, events=heard)
    assert run.ending == "fenced"
    assert await connection.fetchval("SELECT count(*) FROM t.effect") == 0


async def test_the_same_instant_twice_is_the_tests_mistake(url: str) -> None:
    async def body(_: Context) -> None: ...

    job = a_job(body, OnDemand(), "t.one")
    await perform(job, url=url, due_at=DUE)
    with pytest.raises(asyncpg.UniqueViolationError):
        await perform(job, url=url, due_at=DUE)


async def test_a_plain_connection_shows_what_a_test_wants_to_see(url: str) -> None:
    opened = await connect(url)
    assert await opened.fetchval("SELECT 1") == 1
    await opened.close()
