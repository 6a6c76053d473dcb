"""A run's life on a real node and a real database: started on time, recorded once, retried, stopped, accounted for."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise

import asyncpg
import pytest

from daemon import Context, Cron, Every, OnDemand, Overlap, Priority
from daemon.events import InstantsSettled, RunEnded, RunStarted
from daemon.sql import Statement
from tests.daemon.harness import a_job, node, rows

RUNS = "SELECT * FROM sexton.run ORDER BY due_at, id"


def statement(text: str) -> Statement:
    return Statement("test", text, "test")


async def nothing(_: Context) -> None:
    """Do nothing."""


async def test_a_due_instant_becomes_one_row_and_runs(url: str, connection: asyncpg.Connection) -> None:
    async def body(ctx: Context) -> dict[str, int]:
        return {"attempt": ctx.attempt}

    async with node(url, a_job(body, Every(0.2))) as n:
        await n.event(RunEnded, count=3)
    found = await rows(connection, RUNS)
    assert len(found) >= 3
    assert {r["trigger"] for r in found} == {"schedule"}
    assert [r["result"] for r in found[:3]] == ['{"attempt": 1}'] * 3
    gaps = {(b["due_at"] - a["due_at"]) for a, b in pairwise(found)}
    assert gaps == {timedelta(seconds=0.2)}


async def test_a_brand_new_job_is_not_back_filled(url: str, connection: asyncpg.Connection) -> None:
    async with node(url, a_job(nothing, Cron("* * * * *"))) as n:
        await n.engine.ticker.step()
    assert await rows(connection, "SELECT * FROM sexton.run WHERE due_at < sexton.clock() - interval '1 minute'") == []


async def test_two_nodes_on_one_database_give_each_instant_one_row_and_one_run(
    url: str, connection: asyncpg.Connection
) -> None:
    started: list[int] = []

    async def body(ctx: Context) -> None:
        started.append(ctx.run_id)

    job = a_job(body, Every(0.1), overlap=Overlap.QUEUE)
    async with node(url, job, home="/a") as a, node(url, job, home="/b") as b:
        await asyncio.wait_for(asyncio.gather(a.event(RunEnded, count=2), b.event(RunEnded, count=2)), 60)
    assert len(started) == len(set(started))
    found = await rows(connection, RUNS)
    assert len({r["due_at"] for r in found}) == len(found)
    assert all((y["due_at"] - x["due_at"]) == timedelta(seconds=0.1) for x, y in pairwise(found))


async def test_a_failure_is_retried_with_backoff_and_keeps_its_attempts(
    url: str, connection: asyncpg.Connection
) -> None:
    async def body(ctx: Context) -> str:
        if ctx.attempt < 3:
            raise ValueError(f"try {ctx.attempt}")
        return "third time lucky"

    job = a_job(body, Every(3600, phase=0), retries=2, retry_delay=timedelta(milliseconds=50))
    async with node(url, job) as n:
        await due_now(connection, n, job.name)
        await n.event(RunEnded, lambda e: e.outcome == "succeeded")
    (run,) = await rows(connection, RUNS)
    assert (run["state"], run["attempt"], run["failures"]) == ("succeeded", 3, 2)
    tries = await rows(connection, "SELECT number, outcome, error, traceback FROM sexton.attempt ORDER BY number")
    assert [(t["number"], t["outcome"], t["error"]) for t in tries] == [
        (1, "failed", "ValueError: try 1"),
        (2, "failed", "ValueError: try 2"),
    ]
    assert "raise ValueError" in tries[0]["traceback"]


async def test_without_tries_left_a_run_is_a_dead_letter(url: str, connection: asyncpg.Connection) -> None:
    async def body(_: Context) -> None:
        raise RuntimeError("always")

    job = a_job(body, Every(3600, phase=0), retries=0)
    async with node(url, job) as n:
        await due_now(connection, n, job.name)
        await n.event(RunEnded, lambda e: e.outcome == "failed")
    (run,) = await rows(connection, RUNS)
    assert (run["state"], run["error"]) == ("failed", "RuntimeError: always")
    assert await connection.fetchval("SELECT running_run FROM sexton.job") is None


async def test_a_run_beyond_its_timeout_is_cancelled_and_charged(url: str, connection: asyncpg.Connection) -> None:
    async def body(_: Context) -> None:
        await asyncio.sleep(60)

    job = a_job(body, Every(3600, phase=0), retries=0, timeout=timedelta(seconds=0.2))
    async with node(url, job) as n:
        await due_now(connection, n, job.name)
        ended = await n.event(RunEnded)
    assert ended.error == "timed out after 0.2 s"
    assert (await rows(connection, RUNS))[0]["state"] == "failed"


async def test_a_timeout_ends_the_statement_on_the_server(url: str, connection: asyncpg.Connection) -> None:
    async def body(ctx: Context) -> None:
        async with ctx.completing() as tx:
            await tx.execute(statement("SELECT pg_sleep(60)"))

    job = a_job(body, Every(3600, phase=0), retries=0, timeout=timedelta(seconds=0.5))
    async with node(url, job) as n:
        await due_now(connection, n, job.name)
        await n.event(RunEnded)
        sleeping = await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND state = 'active' "
            "AND pid <> pg_backend_pid()"
        )
    assert sleeping == 0


@pytest.mark.parametrize(
    ("overlap", "states"),
    [
        (Overlap.SKIP, {"skipped"}),
        (Overlap.QUEUE, {"ready"}),
        (Overlap.ALLOW, {"running"}),
    ],
)
async def test_overlap_decides_what_a_second_instant_becomes(
    url: str, connection: asyncpg.Connection, overlap: Overlap, states: set[str]
) -> None:
    release = asyncio.Event()

    async def body(_: Context) -> None:
        await release.wait()

    job = a_job(body, Every(0.3), overlap=overlap)
    async with node(url, job) as n:
        await n.event(RunStarted)
        if overlap is Overlap.SKIP:
            settled = await n.event(InstantsSettled)
            assert settled.reason.startswith("overlap with run")
        elif overlap is Overlap.ALLOW:
            await n.event(RunStarted, count=2)
        else:
            await asyncio.sleep(0.5)
        first, second, *_ = await rows(connection, RUNS)
        release.set()
    assert first["state"] == "running"
    assert second["state"] in states


async def test_success_is_recorded_by_the_commit_of_its_effects(url: str, connection: asyncpg.Connection) -> None:
    await connection.execute("CREATE SCHEMA test; CREATE TABLE test.effect (run bigint)")

    async def body(ctx: Context) -> None:
        async with ctx.completing() as tx:
            await tx.execute(statement("INSERT INTO effect VALUES ($1)"), ctx.run_id)
            tx.result({"rows": 1})

    job = a_job(body, Every(3600, phase=0))
    async with node(url, job) as n:
        await due_now(connection, n, job.name)
        await n.event(RunEnded)
    together = await rows(
        connection, "SELECT r.state, r.result, r.xmin = e.xmin AS same FROM sexton.run r, test.effect e"
    )
    assert together == [{"state": "succeeded", "result": '{"rows": 1}', "same": True}]


async def test_a_run_whose_token_was_replaced_commits_nothing(url: str, connection: asyncpg.Connection) -> None:
    await connection.execute("CREATE SCHEMA test; CREATE TABLE test.effect (run bigint)")
    stolen = asyncio.Event()

    async def body(ctx: Context) -> None:
        async with ctx.completing() as tx:
            await tx.execute(statement("INSERT INTO effect VALUES ($1)"), ctx.run_id)
            await connection.execute("UPDATE sexton.run SET token = nextval('sexton.token')")
            stolen.set()

    job = a_job(body, Every(3600, phase=0))
    async with node(url, job) as n:
        await due_now(connection, n, job.name)
        ended = await n.event(RunEnded)
    assert ended.outcome == "fenced"
    assert await rows(connection, "SELECT * FROM test.effect") == []


async def test_a_batch_that_does_not_move_its_cursor_is_refused(url: str, connection: asyncpg.Connection) -> None:
    async def body(ctx: Context) -> None:
        for _ in range(2):
            async with ctx.transaction(cursor=7):
                pass

    job = a_job(body, Every(3600, phase=0), retries=0)
    async with node(url, job) as n:
        await due_now(connection, n, job.name)
        ended = await n.event(RunEnded)
    assert ended.error == "CursorError: the cursor is still 7: a batch must move it"


async def test_a_retry_resumes_after_the_last_committed_batch(url: str, connection: asyncpg.Connection) -> None:
    await connection.execute("CREATE SCHEMA test; CREATE TABLE test.effect (batch int)")

    async def body(ctx: Context) -> None:
        for batch in range((ctx.cursor or 0) + 1, 6):
            async with ctx.transaction(cursor=batch) as tx:
                await tx.execute(statement("INSERT INTO effect VALUES ($1)"), batch)
            if batch == 3 and ctx.attempt == 1:
                raise RuntimeError("interrupted")

    job = a_job(body, Every(3600, phase=0), retries=1, retry_delay=timedelta(milliseconds=10))
    async with node(url, job) as n:
        await due_now(connection, n, job.name)
        await n.event(RunEnded, lambda e: e.outcome == "succeeded")
    batches = [r["batch"] for r in await rows(connection, "SELECT batch FROM test.effect ORDER BY batch")]
    assert batches == [1, 2, 3, 4, 5]


async def test_slots_bound_how_much_runs_at_once_and_priority_goes_first(
    url: str, connection: asyncpg.Connection
) -> None:
    order: list[str] = []
    running = 0
    most = 0

    async def body(ctx: Context) -> None:
        nonlocal running, most
        running, most = running + 1, max(most, running + 1)
        order.append(ctx.args["name"])
        await asyncio.sleep(0.02)
        running -= 1

    jobs = [
        a_job(body, OnDemand(), f"test.{p.name.lower()}{i}", priority=p)
        for p in (Priority.LOW, Priority.CRITICAL)
        for i in range(4)
    ]
    async with node(url, *jobs, slots=2, claiming=False) as n:
        await n.engine.ticker.step()
        for j in jobs:
            await ask(connection, j.name, int(j.priority), f'{{"name": "{j.priority.name}"}}')
        n.engine.claiming = True
        n.engine.wake("dispatcher")
        await n.event(RunEnded, count=8)
    assert most == 2
    assert order == ["CRITICAL"] * 4 + ["LOW"] * 4


async def test_a_stop_of_ours_costs_no_failure_and_the_run_is_available_at_once(
    url: str, connection: asyncpg.Connection
) -> None:
    async def body(_: Context) -> None:
        await asyncio.sleep(60)

    job = a_job(body, Every(3600, phase=0))
    async with node(url, job) as n:
        await due_now(connection, n, job.name)
        await n.event(RunStarted)
    (run,) = await rows(connection, RUNS)
    assert (run["state"], run["failures"], run["reason"]) == ("ready", 0, "the test is over")
    async with node(url, job) as n:
        again = await n.event(RunStarted)
        assert again.run == run["id"]


async def due_now(connection: asyncpg.Connection, n: object, name: str) -> None:
    """Make the last instant of an hourly job due again, as if this node had been away for a moment."""
    await connection.execute(
        "UPDATE sexton.job SET evaluated_until = date_trunc('hour', sexton.clock()) - interval '1 second' "
        "WHERE name = $1",
        name,
    )
    n.engine.ticker.forget()  # type: ignore[attr-defined]
    n.engine.wake("ticker")  # type: ignore[attr-defined]


async def ask(connection: asyncpg.Connection, name: str, priority: int, args: str) -> None:
    await connection.execute(
        "INSERT INTO sexton.run (job, due_at, logical_date, trigger, state, priority, not_before, args) "
        "VALUES ($1, clock_timestamp(), current_date, 'manual', 'ready', $2, clock_timestamp(), $3::jsonb)",
        name, priority, args,
    )  # fmt: skip
