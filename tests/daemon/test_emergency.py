"""The emergency stop on real nodes: what runs ends, nothing begins, and its end gives back what was held."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

import asyncpg
import pytest

from daemon import actions, actions_emergency, emergency, leash
from daemon.actions_deed import Actor, Refused
from daemon.catchup import CatchUp
from daemon.events import Note, RunEnded, RunForsaken, RunStarted
from daemon.job import Context, Overlap, Poll
from daemon.schedule import Cron, OnDemand
from tests.daemon.actions_house import ANN, audit, run_of
from tests.daemon.admin.todo import QUEUE, fill
from tests.daemon.asking import ask
from tests.daemon.harness import a_job, node


async def sleeps(ctx: Context) -> None:
    await asyncio.sleep(60)


async def nothing(ctx: Context) -> None:
    return None


LONG = a_job(sleeps, OnDemand(), "test.long")
QUICK = a_job(nothing, OnDemand(), "test.quick", overlap=Overlap.ALLOW)

GENEROUS = 6
"""A machine with other things to do takes longer than the five seconds that are the target."""


async def test_what_runs_on_every_node_ends_within_five_seconds(url: str, connection: asyncpg.Connection) -> None:
    other_long = a_job(sleeps, OnDemand(), "test.other")
    async with node(url, LONG, home="/tmp/sexton-a") as one, node(url, other_long, home="/tmp/sexton-b") as two:
        first, second = await ask(connection, LONG.name), await ask(connection, other_long.name)
        await one.event(RunStarted, lambda e: e.run == first)
        await two.event(RunStarted, lambda e: e.run == second)
        async with asyncio.timeout(5 * GENEROUS):
            stopped = await actions_emergency.stop_everything(connection, Actor("ann", "cli", "wrong rates"))
            await one.event(RunEnded, lambda e: e.run == first)
            await two.event(RunEnded, lambda e: e.run == second)
        assert sorted(stopped.running) == sorted([first, second])
        for run in (first, second):
            async with asyncio.timeout(60):
                while (await run_of(connection, run))["state"] == "running":
                    await asyncio.sleep(0.01)
            row = await run_of(connection, run)
            assert (row["state"], row["reason"]) == ("cancelled", "emergency stop by ann")
    (entry,) = await audit(connection)
    assert (entry["action"], entry["target"], entry["reason"]) == ("emergency stop", "everything", "wrong rates")
    assert sorted(entry["after"]["running"]) == sorted([first, second])


async def test_a_node_at_rest_looks_seldom_and_after_news_at_once(
    url: str, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look costs a round trip, and whatever would begin asks for the row itself."""
    monkeypatch.setattr(emergency, "FLOOR_AT_REST", 3600.0)
    async with node(url, LONG) as n:
        brake = n.engine.brake
        while brake.suspected:
            await asyncio.sleep(0.01)
        await connection.execute("INSERT INTO sexton.emergency_stop (stopped_by) VALUES ('ann')")  # and no NOTIFY
        await brake.step()
        assert n.engine.roster.stopped is None
        await connection.execute("SELECT pg_notify('sexton', 'emergency:')")
        while n.engine.roster.stopped is None:
            await asyncio.sleep(0.01)
        await connection.execute("DELETE FROM sexton.emergency_stop")  # while stopped, it looks as often as in work
        await brake.step()
        assert n.engine.roster.stopped is None


async def test_a_body_that_does_not_listen_is_forsaken_and_a_deaf_node_hears_within_the_same_five_seconds(
    url: str, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert emergency.FLOOR + leash.URGENT.given_up < 5
    monkeypatch.setattr(leash, "USUAL", leash.Patience(3600.0, 3600.0, 3600.0))
    free = asyncio.Event()

    async def stubborn(_: Context) -> None:
        while not free.is_set():
            with suppress(asyncio.CancelledError):
                await free.wait()

    job = a_job(stubborn, OnDemand(), "test.stubborn")
    async with node(url, job) as n:
        run = await ask(connection, job.name)
        await n.event(RunStarted)
        await connection.execute("INSERT INTO sexton.emergency_stop (stopped_by) VALUES ('ann')")  # and no NOTIFY
        await n.event(RunForsaken)
        ended = await n.event(RunEnded)
        assert (ended.run, ended.outcome, ended.error) == (run, "cancelled", "emergency stop by ann")
        free.set()


async def test_nothing_begins_until_it_is_ended(url: str, connection: asyncpg.Connection) -> None:
    async with node(url, QUICK) as n:
        await actions_emergency.stop_everything(connection, ANN)
        await n.event(Note, lambda e: "emergency stop by ann: nothing begins" in e.text)
        run = await ask(connection, QUICK.name)
        for _ in range(20):
            await n.engine.dispatcher.step()
        assert (await run_of(connection, run))["state"] == "ready"
        await actions_emergency.go_on(connection, ANN, {QUICK.name: QUICK})
        await n.event(RunEnded, lambda e: e.run == run and e.outcome == "succeeded")


async def test_a_node_that_has_not_heard_of_it_claims_nothing_either(url: str, connection: asyncpg.Connection) -> None:
    """The statements ask for the row themselves."""
    await fill(connection)
    async with node(url, QUICK, queues=(QUEUE,)) as n:
        await connection.execute("INSERT INTO sexton.emergency_stop (stopped_by) VALUES ('ann')")
        run = await ask(connection, QUICK.name)
        n.engine.roster.stopped = None
        await n.engine.dispatcher.step()
        assert (await run_of(connection, run))["state"] == "ready"
        claimed = await connection.fetch(QUEUE.statements["claim"].text, 5, n.engine.lease.incarnation)
        assert claimed == []


async def test_a_node_that_starts_meanwhile_begins_nothing(url: str, connection: asyncpg.Connection) -> None:
    await actions_emergency.stop_everything(connection, ANN)
    run = await ask(connection, QUICK.name)
    async with node(url, QUICK) as n:
        assert n.engine.roster.stopped == "emergency stop by ann"
        await n.engine.dispatcher.step()
        assert (await run_of(connection, run))["state"] == "ready"


async def test_instants_meanwhile_are_skipped_or_held_and_what_was_held_goes_on(
    url: str, connection: asyncpg.Connection
) -> None:
    money = a_job(nothing, Cron("* * * * * *"), "test.money", catch_up=CatchUp.EACH(50), overlap=Overlap.QUEUE)
    ticks = a_job(nothing, Cron("* * * * * *"), "test.ticks")
    jobs = {job.name: job for job in (money, ticks)}
    async with node(url, money, ticks) as n:
        await actions_emergency.stop_everything(connection, ANN)
        of = "SELECT count(*) FROM sexton.run WHERE job = $1 AND state = $2 AND reason = 'emergency stop by ann'"
        async with asyncio.timeout(60):
            while not await connection.fetchval(of, "test.money", "held"):
                await asyncio.sleep(0.05)
            while not await connection.fetchval(of, "test.ticks", "skipped"):
                await asyncio.sleep(0.05)
        ended = await actions_emergency.go_on(connection, ANN, jobs)
        assert ended.released
        last = ended.released[-1].id
        await n.event(RunEnded, lambda e: e.run == last and e.outcome == "succeeded")


async def test_polls_rest_and_go_on(url: str, connection: asyncpg.Connection) -> None:
    passes = asyncio.Event()

    async def look(ctx: Context) -> None:
        passes.set()

    poll = a_job(look, Poll(timedelta(milliseconds=20)), "test.poll", overlap=Overlap.ALLOW)
    async with node(url, poll) as n:
        await passes.wait()
        await actions_emergency.stop_everything(connection, ANN)
        await n.event(Note, lambda e: "nothing begins" in e.text)
        await asyncio.sleep(0.05)
        passes.clear()
        await asyncio.sleep(0.2)
        assert not passes.is_set()
        await actions_emergency.go_on(connection, ANN, {})
        async with asyncio.timeout(60):
            await passes.wait()


async def test_the_end_retries_what_was_cancelled_if_asked_to(url: str, connection: asyncpg.Connection) -> None:
    async with node(url, LONG) as n:
        run = await ask(connection, LONG.name)
        await n.event(RunStarted, lambda e: e.run == run)
        await actions_emergency.stop_everything(connection, ANN)
        async with asyncio.timeout(60):
            while (await run_of(connection, run))["state"] != "cancelled":
                await asyncio.sleep(0.01)
        ended = await actions_emergency.go_on(connection, ANN, {LONG.name: LONG}, retry=True)
        assert (list(ended.cancelled), ended.retried) == ([run], True)
        await n.event(RunStarted, lambda e: e.run == run, count=2)


async def test_a_second_stop_changes_nothing_and_an_end_without_one_is_refused(
    connection: asyncpg.Connection,
) -> None:
    first = await actions_emergency.stop_everything(connection, ANN)
    second = await actions_emergency.stop_everything(connection, Actor("bob"))
    assert (first.already, second.already, second.by, second.at) == (False, True, "ann", first.at)
    await actions_emergency.go_on(connection, ANN, {})
    with pytest.raises(Refused, match="there is no emergency stop to end"):
        await actions_emergency.go_on(connection, ANN, {})
    assert [row["action"] for row in await audit(connection)] == ["emergency stop", "end emergency stop"]


async def test_a_run_by_hand_is_refused_meanwhile_with_the_remedy(connection: asyncpg.Connection) -> None:
    await actions_emergency.stop_everything(connection, ANN)
    now = await connection.fetchval("SELECT sexton.clock()")
    with pytest.raises(Refused, match=r"everything is stopped since .*, by ann; to end it: sexton resume-all"):
        await actions.request_run(connection, ANN, QUICK, due_at=now)
    assert await connection.fetchval("SELECT count(*) FROM sexton.run") == 0
