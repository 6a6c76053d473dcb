"""Dead nodes, twins, lost databases and clocks that leap: nothing is repeated, nothing is lost."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from itertools import pairwise
from uuid import uuid4

import asyncpg

from daemon import CatchUp, Context, Cron, Every, Overlap
from daemon.events import (
    ClockBehind,
    DatabaseBack,
    DatabaseLost,
    InstantsSettled,
    LeaseLost,
    Rescued,
    RunEnded,
    RunGivenUp,
    RunStarted,
)
from tests.daemon.cuttable import wire
from tests.daemon.harness import a_job, node, rows

RUNS = "SELECT * FROM sexton.run ORDER BY due_at, id"


async def nothing(_: Context) -> None:
    """Do nothing."""


async def known(connection: asyncpg.Connection, name: str, fingerprint: str, ago: str) -> None:
    """A job this database has known for a while and last evaluated so long ago. Not in a minute's last seconds:
    the next minute would be due as well before the node has looked."""
    if (into := time.time() % 60) > 55:
        await asyncio.sleep(60 - into)
    await connection.execute(
        "INSERT INTO sexton.job (name, schedule_fingerprint, evaluated_until) "
        "VALUES ($1, $2, date_trunc('minute', sexton.clock()) - $3::text::interval)",
        name, fingerprint, ago,
    )  # fmt: skip


async def test_latest_runs_once_for_all_missed_instants_and_says_so(url: str, connection: asyncpg.Connection) -> None:
    await known(connection, "test.job", "cron * * * * * UTC", "10 minutes")
    async with node(url, a_job(nothing, Cron("* * * * *"), catch_up=CatchUp.LATEST)) as n:
        await n.event(RunEnded)
    skipped, ran = (await rows(connection, RUNS))[:2]
    assert (skipped["state"], skipped["count"]) == ("skipped", 9)
    assert skipped["reason"].startswith("coalesced into")
    assert ran["state"] == "succeeded"


async def test_each_pays_every_missed_instant_in_order(url: str, connection: asyncpg.Connection) -> None:
    paid: list[object] = []

    async def body(ctx: Context) -> None:
        paid.append(ctx.due_at)

    await known(connection, "test.job", "cron * * * * * UTC", "10 minutes")
    job = a_job(body, Cron("* * * * *"), catch_up=CatchUp.EACH(31), overlap=Overlap.QUEUE)
    async with node(url, job) as n:
        await n.event(RunEnded, count=10)
    assert paid == sorted(paid)  # type: ignore[type-var]
    assert len(set(paid)) == len(paid) >= 10


async def test_an_instant_is_not_paid_while_an_earlier_one_is_unsettled(
    url: str, connection: asyncpg.Connection
) -> None:
    async def body(_: Context) -> None:
        raise RuntimeError("the first one is broken")

    await known(connection, "test.job", "cron * * * * * UTC", "3 minutes")
    job = a_job(body, Cron("* * * * *"), catch_up=CatchUp.EACH(31), overlap=Overlap.QUEUE, retries=0)
    async with node(url, job) as n:
        await n.event(RunEnded)
        n.engine.wake("dispatcher")
        await asyncio.sleep(0.3)
        states = [r["state"] for r in await rows(connection, RUNS)]
        assert states[0] == "failed"
        assert set(states[1:]) == {"ready"}
        await connection.execute("UPDATE sexton.run SET waived_by = 'a person' WHERE state = 'failed'")
        n.engine.wake("dispatcher")
        second = await n.event(RunStarted, count=2)
    assert second.run == (await rows(connection, RUNS))[1]["id"]


async def test_a_backlog_beyond_the_limit_is_held_for_a_person(url: str, connection: asyncpg.Connection) -> None:
    await known(connection, "test.job", "cron * * * * * UTC", "10 minutes")
    job = a_job(nothing, Cron("* * * * *"), catch_up=CatchUp.EACH(5), overlap=Overlap.QUEUE)
    async with node(url, job) as n:
        held = await n.event(InstantsSettled)
    assert (held.state, held.reason) == ("held", "backlog of 10 exceeds the limit of 5")
    assert {r["state"] for r in await rows(connection, RUNS)} == {"held"}


async def test_a_paused_job_is_due_and_accounted_for(url: str, connection: asyncpg.Connection) -> None:
    await known(connection, "test.job", "cron * * * * * UTC", "3 minutes")
    await connection.execute("UPDATE sexton.job SET paused_by = 'asha'")
    async with node(url, a_job(nothing, Cron("* * * * *"))) as n:
        settled = await n.event(InstantsSettled)
    assert (settled.state, settled.count, settled.reason) == ("skipped", 3, "paused by asha")


async def test_a_changed_schedule_first_evaluates_the_old_one_and_invents_no_past(
    url: str, connection: asyncpg.Connection
) -> None:
    await known(connection, "test.job", "cron * * * * * UTC", "3 minutes")
    before = await connection.fetchval("SELECT evaluated_until FROM sexton.job")
    async with node(url, a_job(nothing, Cron("0 3 1 1 *"))) as n:
        await n.event(RunEnded)
    found = await rows(connection, RUNS)
    job = (await rows(connection, "SELECT * FROM sexton.job"))[0]
    assert sum(r["count"] for r in found) == job["evaluated_until"].timestamp() // 60 - before.timestamp() // 60
    assert job["schedule_fingerprint"] == "cron 0 3 1 1 * UTC"
    assert job["evaluated_until"] > found[-1]["due_at"]


async def test_enabling_a_disabled_job_again_invents_no_past(url: str, connection: asyncpg.Connection) -> None:
    await known(connection, "test.job", "disabled", "10 minutes")
    async with node(url, a_job(nothing, Cron("* * * * *"))):
        pass
    assert await rows(connection, "SELECT * FROM sexton.run WHERE due_at < sexton.clock() - interval '1 minute'") == []


async def test_a_dead_nodes_runs_are_rescued_with_new_tokens(url: str, connection: asyncpg.Connection) -> None:
    dead = uuid4()
    await dead_node_with_a_run(connection, dead, "/elsewhere", "-1 second")
    async with node(url, a_job(nothing, Every(3600, phase=0)), lease=0.6) as n:
        assert (await n.event(Rescued)).runs == 1
        ended = await n.event(RunEnded)
    assert ended.outcome == "succeeded"
    (run,) = await rows(connection, "SELECT * FROM sexton.run WHERE trigger = 'manual'")
    assert (run["state"], run["rescues"], run["failures"]) == ("succeeded", 1, 0)
    assert run["token"] != 1


async def test_a_dead_nodes_run_that_was_to_be_cancelled_is_cancelled(url: str, connection: asyncpg.Connection) -> None:
    await dead_node_with_a_run(connection, uuid4(), "/elsewhere", "-1 second")
    await connection.execute("INSERT INTO sexton.cancel_request (run, requested_by) SELECT id, 'asha' FROM sexton.run")
    async with node(url, a_job(nothing, Every(3600, phase=0)), lease=0.6) as n:
        await n.event(Rescued)
    (run,) = await rows(connection, "SELECT * FROM sexton.run WHERE trigger = 'manual'")
    assert (run["state"], run["reason"]) == ("cancelled", "cancelled by asha")
    assert run["finished_at"] is not None


async def test_a_node_whose_lease_still_moves_is_left_alone(url: str, connection: asyncpg.Connection) -> None:
    async with node(url, home="/a", lease=2.0) as a, node(url, home="/b", lease=2.0) as b:
        while min(n.engine.lease.renewals for n in (a, b)) < 5:
            await asyncio.sleep(0.01)
        assert not [e for e in (*a.events, *b.events) if isinstance(e, Rescued | LeaseLost)]


async def test_a_restart_of_the_same_place_reclaims_at_once(url: str, connection: asyncpg.Connection) -> None:
    dead = uuid4()
    async with node(url, home="/here") as n:
        home = n.engine.lease.home
    await dead_node_with_a_run(connection, dead, home, "1 hour")
    async with node(url, a_job(nothing, Every(3600, phase=0)), home="/here") as n:
        assert (await n.event(Rescued)).runs == 1
        await n.event(RunEnded)


async def test_a_run_that_kills_its_node_again_and_again_is_a_dead_letter(
    url: str, connection: asyncpg.Connection
) -> None:
    dead = uuid4()
    await dead_node_with_a_run(connection, dead, "/elsewhere", "-1 second")
    await connection.execute("UPDATE sexton.run SET rescues = 5")
    async with node(url, a_job(nothing, Every(3600, phase=0)), lease=0.6) as n:
        given_up = await n.event(RunGivenUp)
    (run,) = await rows(connection, "SELECT * FROM sexton.run WHERE trigger = 'manual'")
    assert (run["state"], run["reason"]) == ("failed", "the node died 6 times while running this")
    assert (given_up.run, given_up.reason) == (run["id"], run["reason"])


async def test_a_node_declared_dead_stops_its_work_and_begins_again(url: str, connection: asyncpg.Connection) -> None:
    async def body(_: Context) -> None:
        await asyncio.sleep(60)

    async with node(url, a_job(body, Every(0.2)), lease=0.6) as n:
        await n.event(RunStarted)
        first = n.engine.lease.incarnation
        await connection.execute("UPDATE sexton.node SET dead_at = sexton.clock()")
        await connection.execute("UPDATE sexton.run SET token = nextval('sexton.token') WHERE state = 'running'")
        await n.event(LeaseLost)
        ended = await n.event(RunEnded)
        assert n.engine.lease.incarnation != first
    assert ended.outcome == "fenced"


async def test_a_lost_database_is_waited_for_and_no_instant_is_lost(url: str, connection: asyncpg.Connection) -> None:
    job = a_job(nothing, Every(0.1), catch_up=CatchUp.EACH(1000), overlap=Overlap.QUEUE)
    async with wire(url) as w, node(w.url, job) as n:
        await n.event(RunEnded, count=3)
        await w.cut()
        await n.event(DatabaseLost)
        before = len([e for e in n.events if isinstance(e, RunEnded)])
        await w.mend()
        await n.event(DatabaseBack)
        await n.event(RunEnded, count=before + 10)
    found = await rows(connection, RUNS)
    assert all((y["due_at"] - x["due_at"]) == timedelta(seconds=0.1) for x, y in pairwise(found))
    assert {r["count"] for r in found} == {1}


async def test_a_clock_set_back_makes_cron_wait_and_repeats_nothing(url: str, connection: asyncpg.Connection) -> None:
    async with node(url, a_job(nothing, Every(0.2)), lease=0.6) as n:
        await n.event(RunEnded, count=2)
        await shift_clock(connection, "-2 hours")
        behind = await n.event(ClockBehind)
        assert 7100 < behind.seconds < 7300
        count = len(await rows(connection, RUNS))
        await asyncio.sleep(0.5)
        assert len(await rows(connection, RUNS)) == count
        await shift_clock(connection, "0 hours")
        await n.event(RunEnded, count=count + 2)
    due = [r["due_at"] for r in await rows(connection, RUNS)]
    assert len(due) == len(set(due))


async def test_money_waits_for_a_person_when_the_clock_leaps_forward(url: str, connection: asyncpg.Connection) -> None:
    job = a_job(nothing, Cron("*/30 * * * *"), catch_up=CatchUp.EACH(31), overlap=Overlap.QUEUE)
    async with node(url, job, lease=0.6) as n:
        await shift_clock(connection, "2 hours")
        held = await n.event(InstantsSettled)
    assert held.state == "held"
    assert held.reason.startswith("clock leapt forward by 2:00:0")
    waiting = [r for r in await rows(connection, RUNS) if r["state"] == "held"]
    assert len(waiting) >= 4  # one more where the test begins on the half hour itself


async def shift_clock(connection: asyncpg.Connection, by: str) -> None:
    await connection.execute(
        "CREATE OR REPLACE FUNCTION sexton.clock() RETURNS timestamptz LANGUAGE sql VOLATILE "
        f"AS 'SELECT clock_timestamp() + interval ''{by}'''"
    )


async def dead_node_with_a_run(connection: asyncpg.Connection, node_id: object, home: str, lease: str) -> None:
    await connection.execute(
        "INSERT INTO sexton.node (incarnation, name, home, version, lease_until) "
        "VALUES ($1, 'gone', $2, '0', sexton.clock() + $3::text::interval)",
        node_id, home, lease,
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO sexton.run (job, due_at, logical_date, trigger, state, not_before, token, node, attempt, "
        "started_at) VALUES ('test.job', sexton.clock(), current_date, 'manual', 'running', sexton.clock(), 1, $1, 1, "
        "sexton.clock())",
        node_id,
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO sexton.job (name, schedule_fingerprint, evaluated_until, running_run) "
        "SELECT 'test.job', 'every 3600 phase 0', sexton.clock(), id FROM sexton.run"
    )
