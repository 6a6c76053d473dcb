"""What is decided when a run is claimed, on a real node: too late, coalesced, covered already, held."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from daemon import CatchUp, Context, Cron, Every, OnDemand, Overlap
from daemon.events import InstantsSettled, RunEnded, RunStarted
from daemon.schedule import local_date
from tests.daemon.asking import RUNS, ask, the_run
from tests.daemon.harness import Node, a_job, node, rows


async def nothing(_: Context) -> None:
    """Do nothing."""


def scheduled(job: str, minutes_ago: float, **columns: Any) -> Any:
    return {"due_at": datetime.now(UTC) - timedelta(minutes=minutes_ago), "trigger": "schedule", "job": job, **columns}


async def claiming(n: Node) -> None:
    n.engine.claiming = True
    await n.engine.dispatcher.step()


async def test_of_several_ready_rows_only_the_latest_runs_and_the_others_name_it(
    url: str, connection: asyncpg.Connection
) -> None:
    job = a_job(nothing, OnDemand(), "t.one", catch_up=CatchUp.LATEST)
    async with node(url, job, claiming=False) as n:
        old = [await ask(connection, **scheduled("t.one", ago)) for ago in (3, 2)]
        newest = await ask(connection, **scheduled("t.one", 1))
        await claiming(n)
        assert (await n.event(RunEnded)).run == newest
        settled = [e for e in n.events if isinstance(e, InstantsSettled)]
    assert {(s.state, s.reason) for s in settled} == {("skipped", f"coalesced into run {newest}")}
    assert [(await the_run(connection, run))["state"] for run in old] == ["skipped", "skipped"]


async def test_a_run_asked_for_by_a_person_is_never_coalesced(url: str, connection: asyncpg.Connection) -> None:
    job = a_job(nothing, OnDemand(), "t.one", catch_up=CatchUp.LATEST)
    async with node(url, job, claiming=False) as n:
        asked = await ask(connection, "t.one", due_at=datetime.now(UTC) - timedelta(minutes=5))
        await ask(connection, **scheduled("t.one", 1))
        await claiming(n)
        await n.event(RunEnded, count=2)
    assert (await the_run(connection, asked))["state"] == "succeeded"


async def test_without_coalescing_every_ready_row_runs(url: str, connection: asyncpg.Connection) -> None:
    job = a_job(nothing, OnDemand(), "t.one", catch_up=CatchUp.LATEST, overlap=Overlap.ALLOW)
    async with node(url, job, claiming=False) as n:
        for ago in (3, 2, 1):
            await ask(connection, **scheduled("t.one", ago))
        await claiming(n)
        await n.event(RunEnded, count=3)
    assert {r["state"] for r in await rows(connection, RUNS)} == {"succeeded"}


async def test_a_row_that_is_claimed_too_late_is_missed(url: str, connection: asyncpg.Connection) -> None:
    job = a_job(nothing, OnDemand(), "t.one", max_lateness=timedelta(seconds=90), overlap=Overlap.ALLOW)
    async with node(url, job, claiming=False) as n:
        late = await ask(connection, **scheduled("t.one", 10))
        fresh = await ask(connection, **scheduled("t.one", 0.5))
        retried = await ask(connection, **scheduled("t.one", 20, attempt=1, failures=1))
        await claiming(n)
        await n.event(RunEnded, count=2)
    run = await the_run(connection, late)
    assert (run["state"], run["reason"]) == ("missed", "too late")
    assert (await the_run(connection, fresh))["state"] == "succeeded"
    assert (await the_run(connection, retried))["state"] == "succeeded"


async def test_a_held_run_waits_until_it_is_released(url: str, connection: asyncpg.Connection) -> None:
    job = a_job(nothing, OnDemand(), "t.one")
    async with node(url, job) as n:
        held = await ask(connection, "t.one", state="held", reason="a backlog")
        await ask(connection, "t.one")
        await n.event(RunEnded)
        assert (await the_run(connection, held))["state"] == "held"
        await connection.execute("UPDATE sexton.run SET state = 'ready', reason = NULL WHERE id = $1", held)
        n.engine.wake("dispatcher")
        await n.event(RunEnded, lambda e: e.run == held)


async def test_a_paused_job_whose_every_instant_counts_holds_them(url: str, connection: asyncpg.Connection) -> None:
    await connection.execute(
        "INSERT INTO sexton.job (name, schedule_fingerprint, evaluated_until, paused_by) VALUES ('t.one', "
        "'cron * * * * * UTC', date_trunc('minute', sexton.clock()) - interval '3 minutes', 'asha')"
    )
    job = a_job(nothing, Cron("* * * * *"), "t.one", catch_up=CatchUp.EACH(31), overlap=Overlap.QUEUE)
    async with node(url, job) as n:
        await n.event(InstantsSettled, count=3)
        found = await rows(connection, RUNS)
    assert [(r["state"], r["reason"], r["count"]) for r in found[:3]] == [("held", "paused by asha", 1)] * 3


async def test_what_ran_by_hand_for_a_date_is_not_run_again_by_the_clock(
    url: str, connection: asyncpg.Connection
) -> None:
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    daily = Cron("0 0 * * *")
    await connection.execute(
        "INSERT INTO sexton.job (name, schedule_fingerprint, evaluated_until) VALUES ('t.one', $1, $2)",
        "cron 0 0 * * * UTC", midnight - timedelta(seconds=1),
    )  # fmt: skip
    day = local_date(daily, midnight)
    by_hand = await ask(
        connection, "t.one", due_at=midnight - timedelta(hours=2), day=day, state="succeeded", daily=True
    )
    async with node(url, a_job(nothing, daily, "t.one")) as n:
        settled = await n.event(InstantsSettled)
    assert (settled.state, settled.reason, settled.due_at) == ("skipped", f"already covered by run {by_hand}", midnight)
    assert len(await rows(connection, RUNS)) == 2


async def test_a_run_wants_as_many_connections_as_it_declared_or_waits(
    url: str, connection: asyncpg.Connection
) -> None:
    go = asyncio.Event()

    async def body(_: Context) -> None:
        await go.wait()

    jobs = [a_job(body, OnDemand(), f"t.{i}", connections=12) for i in range(2)]
    async with node(url, *jobs, a_job(nothing, OnDemand(), "t.small", connections=1)) as n:
        await ask(connection, "t.0")
        await n.event(RunStarted)
        waiting = await ask(connection, "t.1", priority=0)
        await ask(connection, "t.small", priority=3)
        await n.engine.dispatcher.step()
        assert (await the_run(connection, waiting))["state"] == "ready"
        go.set()
        await n.event(RunEnded, count=3)
        assert n.engine.slots.used_connections == 0


async def test_a_node_without_a_job_leaves_its_runs_to_others(url: str, connection: asyncpg.Connection) -> None:
    async with node(url, a_job(nothing, Every(3600, phase=1), "t.mine")) as n:
        theirs = await ask(connection, "t.theirs")
        await ask(connection, "t.mine")
        await n.event(RunEnded)
    assert (await the_run(connection, theirs))["state"] == "ready"
