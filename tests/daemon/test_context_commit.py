"""The wire is cut exactly between the server's COMMIT and its answer: what is true is asked, never guessed."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from daemon import Context, OnDemand
from daemon.events import DatabaseBack, DatabaseLost, RunEnded
from tests.daemon.asking import ask, statement, the_run
from tests.daemon.harness import Node, a_job, node, rows
from tests.daemon.meddler import Meddler, When, meddler

EFFECT = statement("INSERT INTO effect VALUES ($1, $2, $3)")


@pytest.fixture
async def effects(connection: asyncpg.Connection) -> asyncpg.Connection:
    await connection.execute("CREATE SCHEMA t; CREATE TABLE t.effect (run bigint, batch int, attempt int)")
    return connection


def ends(n: Node) -> list[str]:
    return [e.outcome for e in n.events if isinstance(e, RunEnded)]


async def completed(url: str, effects: asyncpg.Connection, when: When) -> tuple[Node, dict[str, Any]]:
    async with meddler(url) as between:

        async def body(ctx: Context) -> None:
            async with ctx.completing() as tx:
                await tx.execute(EFFECT, ctx.run_id, 1, ctx.attempt)
                tx.result({"paid": 1})
                between.armed = when if not between.cuts else None

        async with node(between.url, a_job(body, OnDemand(), "t.pay", retries=0)) as n:
            run = await ask(effects, "t.pay")
            await n.event(RunEnded, lambda e: e.outcome == "succeeded")
            await n.event(DatabaseBack)
        assert between.cuts == 1
    return n, await the_run(effects, run)


async def test_a_lost_answer_to_a_commit_that_happened_is_a_success_and_nothing_is_repeated(
    url: str, effects: asyncpg.Connection
) -> None:
    n, run = await completed(url, effects, "after")
    assert ends(n) == ["succeeded"]
    assert (run["state"], run["attempt"], run["failures"], run["result"]) == ("succeeded", 1, 0, '{"paid": 1}')
    assert await rows(effects, "SELECT batch, attempt FROM t.effect") == [{"batch": 1, "attempt": 1}]
    assert len([e for e in n.events if isinstance(e, DatabaseLost)]) == 1


async def test_a_commit_that_never_arrived_is_done_once_more_at_no_cost(url: str, effects: asyncpg.Connection) -> None:
    n, run = await completed(url, effects, "before")
    assert ends(n) == ["database lost", "succeeded"]
    assert (run["state"], run["attempt"], run["failures"]) == ("succeeded", 2, 0)
    assert await rows(effects, "SELECT batch, attempt FROM t.effect") == [{"batch": 1, "attempt": 2}]


@pytest.mark.parametrize("when", ["after", "before"])
async def test_each_batch_is_committed_once_wherever_the_wire_breaks(
    url: str, effects: asyncpg.Connection, when: When
) -> None:
    async def body(ctx: Context) -> None:
        for batch in range((ctx.cursor or 0) + 1, 6):
            async with ctx.transaction(cursor=batch) as tx:
                await tx.execute(EFFECT, ctx.run_id, batch, ctx.attempt)
                if batch == 3 and not between.cuts:
                    between.armed = when

    between: Meddler
    async with meddler(url) as between, node(between.url, a_job(body, OnDemand(), "t.pay", retries=0)) as n:
        await ask(effects, "t.pay")
        await n.event(RunEnded, lambda e: e.outcome == "succeeded")
        assert between.cuts == 1
    found = await rows(effects, "SELECT batch, attempt FROM t.effect ORDER BY batch, attempt")
    assert [r["batch"] for r in found] == [1, 2, 3, 4, 5]
    assert found[-1]["attempt"] == (1 if when == "after" else 2)


async def test_a_run_that_was_taken_over_during_the_outage_is_not_ours_to_finish(
    url: str, effects: asyncpg.Connection
) -> None:
    async def body(ctx: Context) -> None:
        async with ctx.completing() as tx:
            await tx.execute(EFFECT, ctx.run_id, 1, ctx.attempt)
            between.armed = "before"
            await effects.execute("UPDATE sexton.run SET token = token WHERE false")

    between: Meddler
    async with meddler(url) as between, node(between.url, a_job(body, OnDemand(), "t.pay", retries=0)) as n:
        run = await ask(effects, "t.pay")
        await n.event(DatabaseLost)
        n.engine.claiming = False
        await effects.execute("UPDATE sexton.run SET token = nextval('sexton.token') WHERE id = $1", run)
        ended = await n.event(RunEnded)
    assert ended.outcome in ("fenced", "database lost")
    assert await rows(effects, "SELECT * FROM t.effect") == []
