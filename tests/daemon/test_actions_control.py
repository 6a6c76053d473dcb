"""Releasing, waiving, cancelling, pausing, rescheduling, requeueing: each audited, each refused in words."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import asyncpg
import pytest

from daemon import actions
from daemon.actions_deed import Actor, Invalid, Refused
from daemon.actions_items import Chosen, retry_items
from daemon.actions_overrides import reschedule_job
from daemon.catchup import CatchUp
from daemon.job import Context, Overlap, Poll
from daemon.queue import WorkQueue
from daemon.schedule import Cron
from tests.daemon.actions_house import (
    AFTER,
    ANN,
    JOBS,
    MONEY,
    TICK,
    add_run,
    audit,
    body,
    news,
    run_of,
)
from tests.daemon.harness import a_job, node


async def test_held_runs_are_released_ready_or_waiting(connection: asyncpg.Connection, heard: list[str]) -> None:
    free, dependent = await add_run(connection, MONEY, "held"), await add_run(connection, AFTER, "held")
    changed = await actions.release_runs(connection, ANN, JOBS, [free, dependent])
    assert {c.id: c.state for c in changed} == {free: "ready", dependent: "waiting"}
    assert (await run_of(connection, dependent))["reason"] is None
    with pytest.raises(Refused, match=f"run {free} .* is ready, not held"):
        await actions.release_runs(connection, ANN, JOBS, [free])
    await news(heard, "ready")


async def test_all_held_runs_of_a_job_are_released_at_once(connection: asyncpg.Connection) -> None:
    held = [await add_run(connection, MONEY, "held", day) for day in range(3)]
    other = await add_run(connection, AFTER, "held")
    changed = await actions.release_job(connection, ANN, JOBS, "test.money")
    assert [c.id for c in changed] == held
    assert (await run_of(connection, other))["state"] == "held"
    assert [row["target"] for row in await audit(connection)] == [f"run {run}" for run in held]


async def test_a_waived_instant_lets_the_next_one_run(url: str, connection: asyncpg.Connection) -> None:
    """EACH is strict: the failed day holds up the next one until a person waives it."""
    failed, following = await add_run(connection, MONEY, "failed"), await add_run(connection, MONEY, "ready", 1)
    async with node(url, MONEY, AFTER):
        await asyncio.sleep(0.2)
        assert (await run_of(connection, following))["state"] == "ready"
        await actions.waive_runs(connection, ANN, JOBS, [failed])
        async with asyncio.timeout(60):
            while (await run_of(connection, following))["state"] != "succeeded":
                await asyncio.sleep(0.01)
    row = await run_of(connection, failed)
    assert (row["state"], row["reason"], row["waived_by"]) == ("cancelled", "waived by ann", "ann")
    assert [(r["action"], r["before"]["state"], r["after"]["state"]) for r in await audit(connection)] == [
        ("waive", "failed", "cancelled")
    ]


async def test_waiving_what_holds_nothing_up_is_refused(connection: asyncpg.Connection) -> None:
    loose, done = await add_run(connection, TICK, "failed"), await add_run(connection, MONEY, "succeeded")
    waived = await add_run(connection, MONEY, "cancelled", 1, waived_by="bob")
    with pytest.raises(Refused) as refusal:
        await actions.waive_runs(connection, ANN, JOBS, [loose, done, waived])
    assert refusal.value.problems == (
        f"run {loose} (test.tick) holds nothing up (failed): its job does not catch up with EACH instant",
        f"run {done} (test.money) has succeeded: nothing is left to waive",
        f"run {waived} (test.money) was waived by bob before",
    )


@pytest.mark.parametrize("state", ["waiting", "held", "ready"])
async def test_what_has_not_started_is_cancelled_at_once(connection: asyncpg.Connection, state: str) -> None:
    run = await add_run(connection, MONEY, state)
    await connection.execute("UPDATE sexton.job SET running_run = $1", run)
    changed = await actions.cancel_runs(connection, ANN, [run])
    assert [(c.was, c.state, c.strict) for c in changed] == [(state, "cancelled", True)]
    assert (await run_of(connection, run))["reason"] == "cancelled by ann"
    assert await connection.fetchval("SELECT running_run FROM sexton.job") is None


async def test_a_running_run_is_asked_to_stop_and_its_row_left_to_its_node(
    connection: asyncpg.Connection, heard: list[str]
) -> None:
    run = await add_run(connection, TICK, "running", node="00000000-0000-0000-0000-000000000001")
    for _ in range(2):
        changed = await actions.cancel_runs(connection, ANN, [run])
        assert [(c.was, c.state) for c in changed] == [("running", "running")]
    assert await connection.fetchval("SELECT requested_by FROM sexton.cancel_request WHERE run = $1", run) == "ann"
    await news(heard, f"cancel:{run}")
    assert (await audit(connection))[0]["after"] == {"state": "running", "cancel_requested": True}


async def test_what_has_ended_is_not_cancelled(connection: asyncpg.Connection) -> None:
    run = await add_run(connection, TICK, "failed")
    with pytest.raises(Refused, match="is failed already"):
        await actions.cancel_runs(connection, ANN, [run])


async def test_a_pause_is_kept_by_whoever_was_first(connection: asyncpg.Connection, heard: list[str]) -> None:
    first = await actions.pause_job(connection, ANN, "test.money")
    second = await actions.pause_job(connection, Actor("bob"), "test.money")
    assert (first.by, first.already, second.by, second.already) == ("ann", False, "ann", True)
    assert second.at == first.at
    assert [(r["action"], r["target"], r["after"]) for r in await audit(connection)] == [
        ("pause", "test.money", {"paused_by": "ann"})
    ]
    await news(heard, "job:test.money")


async def test_resuming_releases_what_the_pause_held_and_nothing_else(connection: asyncpg.Connection) -> None:
    await actions.pause_job(connection, ANN, "test.money")
    paused = await add_run(connection, MONEY, "held", reason="paused by ann")
    backlog = await add_run(connection, MONEY, "held", 1, reason="backlog of 40 exceeds the limit of 31")
    changed = await actions.resume_job(connection, ANN, JOBS, "test.money")
    assert [(c.id, c.state) for c in changed] == [(paused, "ready")]
    assert (await run_of(connection, backlog))["state"] == "held"
    row = await connection.fetchrow("SELECT paused_by, paused_at, revision, changed_by FROM sexton.job")
    assert row is not None
    assert tuple(row) == (None, None, 3, "ann")
    with pytest.raises(Refused, match=r"test\.money is not paused"):
        await actions.resume_job(connection, ANN, JOBS, "test.money")


async def test_a_pause_holds_each_instant_and_the_resume_runs_them_in_order(
    url: str, connection: asyncpg.Connection
) -> None:
    order: list[datetime] = []

    async def pay(ctx: Context) -> None:
        order.append(ctx.due_at)

    money = a_job(pay, Cron("* * * * * *"), "test.pay", catch_up=CatchUp.EACH(50), overlap=Overlap.QUEUE)
    async with node(url, money):
        await actions.pause_job(connection, ANN, money.name)
        async with asyncio.timeout(60):
            while await connection.fetchval("SELECT count(*) FROM sexton.run WHERE state = 'held'") < 2:
                await asyncio.sleep(0.05)
        before = len(order)
        released = await actions.resume_job(connection, ANN, {money.name: money}, money.name)
        async with asyncio.timeout(60):
            while len(order) < before + len(released):
                await asyncio.sleep(0.02)
    assert order == sorted(order)
    assert len(released) >= 2


async def test_a_schedule_is_overridden_merged_and_reset(connection: asyncpg.Connection, heard: list[str]) -> None:
    job, warnings = await reschedule_job(connection, ANN, MONEY, "0 6 * * mon", "UTC")
    assert (job.trigger, warnings) == (Cron("0 6 * * mon", "UTC"), [])
    job, _ = await reschedule_job(connection, ANN, MONEY, "0 7 * * *")
    assert job.trigger == Cron("0 7 * * *", "UTC")
    job, _ = await reschedule_job(connection, ANN, MONEY, None)
    assert job == MONEY
    assert await connection.fetchval("SELECT overrides FROM sexton.job") == "{}"
    assert await connection.fetchval("SELECT revision FROM sexton.job") == 4
    assert [r["after"]["overrides"] for r in await audit(connection)] == [
        {"schedule": "0 6 * * mon", "timezone": "UTC"},
        {"schedule": "0 7 * * *", "timezone": "UTC"},
        {},
    ]
    await news(heard, "job:test.money")


async def test_a_reset_of_nothing_changes_nothing(connection: asyncpg.Connection) -> None:
    await reschedule_job(connection, ANN, MONEY, None)
    assert await audit(connection) == []


@pytest.mark.parametrize(
    ("expression", "timezone", "sentences"),
    [
        ("61 25 * * *", None, 2),
        ("0 0 30 2 *", None, 1),
        ("0 0 * * *", "Europe/Zurick", 1),
        ("every nothing", None, 1),
    ],
)
async def test_a_schedule_that_cannot_be_used_is_refused_before_it_is_written(
    connection: asyncpg.Connection, expression: str, timezone: str | None, sentences: int
) -> None:
    with pytest.raises(Invalid) as refusal:
        await reschedule_job(connection, ANN, MONEY, expression, timezone)
    assert len(refusal.value.problems) == sentences
    assert await connection.fetchval("SELECT count(*) FROM sexton.job") == 0
    assert await audit(connection) == []


async def test_a_poll_cannot_be_rescheduled(connection: asyncpg.Connection) -> None:
    poll = a_job(body, Poll(timedelta(seconds=30)), "test.poll")
    with pytest.raises(Invalid, match="it is a poll or an event handler"):
        await reschedule_job(connection, ANN, poll, "0 0 * * *")


async def test_dead_items_are_ready_again_and_audited_by_key(connection: asyncpg.Connection, heard: list[str]) -> None:
    await connection.execute(
        "CREATE TABLE public.todo AS SELECT n::bigint AS id, CASE WHEN n < 4 THEN 'DEAD' ELSE 'READY' END AS state, "
        "9 AS attempts, 5 AS failures, 2 AS rescues, 0 AS priority, sexton.clock() AS next_attempt_at, "
        "null::text AS last_error FROM generate_series(1, 5) n"
    )
    queue = WorkQueue("public.todo", key="id")
    assert await retry_items(connection, ANN, queue, Chosen([2, 5])) == [2]
    assert await retry_items(connection, ANN, queue, Chosen()) == [1, 3]
    assert await retry_items(connection, ANN, queue, Chosen()) == []
    assert [(r["action"], r["target"], r["after"]["keys"]) for r in await audit(connection)] == [
        ("retry items", "public.todo", [2]),
        ("retry items", "public.todo", [1, 3]),
    ]
    counts = "SELECT DISTINCT attempts, failures, rescues FROM public.todo WHERE id < 4"
    assert [tuple(row) for row in await connection.fetch(counts)] == [(0, 0, 0)]
    await news(heard, "queue:public.todo")
