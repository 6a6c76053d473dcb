"""What a person may do to the ledger: each action, what it refuses, its audit row and what the nodes are told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from daemon import actions
from daemon.actions_deed import Actor, AlreadyCovered, Invalid, Refused
from daemon.catchup import CatchUp
from daemon.job import Context, Job, Overlap, Poll
from daemon.queue import WorkQueue
from daemon.schedule import Cron, Every, OnDemand
from tests.daemon.harness import a_job, node

ANN = Actor("ann", "cli", "because")
DUE = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)


async def body(ctx: Context) -> dict[str, str]:
    return {"date": str(ctx.logical_date), "trigger": "any"}


MONEY = a_job(
    body, Cron("30 2 * * *", "Europe/Zurich"), "test.money", catch_up=CatchUp.EACH(9), overlap=Overlap.QUEUE,
    sensitive=True,
)  # fmt: skip
TICK = a_job(body, Every(3600), "test.tick")
HAND = a_job(body, OnDemand(), "test.hand")
AFTER = a_job(
    body, Cron("0 6 * * *"), "test.after", catch_up=CatchUp.EACH(9), overlap=Overlap.QUEUE, requires=("test.money",)
)
JOBS = {job.name: job for job in (MONEY, TICK, HAND, AFTER)}


async def add_run(connection: asyncpg.Connection, job: Job, state: str, day: int = 0, **columns: Any) -> int:
    """A row as the engine could have left it; returns its id."""
    due = DUE + timedelta(days=day)
    row: dict[str, Any] = {
        "job": job.name, "due_at": due, "logical_date": due.date(), "trigger": "schedule", "state": state,
        "reason": "a test" if state in ("held", "skipped", "missed", "cancelled") else None, "not_before": due,
        "strict": job.catch_up.is_each, "daily": True, **columns,
    }  # fmt: skip
    await connection.execute(
        "INSERT INTO sexton.job (name, schedule_fingerprint, evaluated_until) VALUES ($1, 'disabled', sexton.clock()) "
        "ON CONFLICT DO NOTHING", job.name,
    )  # fmt: skip
    names, places = ", ".join(row), ", ".join(f"${n}" for n in range(1, len(row) + 1))
    run: int = await connection.fetchval(
        f"INSERT INTO sexton.run ({names}) VALUES ({places}) RETURNING id", *row.values()
    )
    return run


async def run_of(connection: asyncpg.Connection, run: int) -> asyncpg.Record:
    row = await connection.fetchrow("SELECT * FROM sexton.run WHERE id = $1", run)
    assert row is not None
    return row


async def audit(connection: asyncpg.Connection) -> list[dict[str, Any]]:
    rows = await connection.fetch(
        "SELECT who, origin, action, target, reason, before, after FROM sexton.audit ORDER BY id"
    )
    return [
        {**row, "before": json.loads(row["before"] or "null"), "after": json.loads(row["after"] or "null")}
        for row in rows
    ]


@pytest.fixture
async def heard(url: str) -> AsyncIterator[list[str]]:
    """What the nodes are told."""
    listener = await asyncpg.connect(url)
    said: list[str] = []
    await listener.add_listener("sexton", lambda *a: said.append(str(a[-1])))
    yield said
    await listener.close()


async def news(heard: list[str], wanted: str) -> None:
    async with asyncio.timeout(5):
        while wanted not in heard:
            await asyncio.sleep(0.01)


async def test_a_run_by_hand_is_ready_audited_and_announced(connection: asyncpg.Connection, heard: list[str]) -> None:
    run = await actions.request_run(connection, ANN, MONEY, due_at=DUE, args={"dry": True})
    row = await run_of(connection, run)
    assert (row["state"], row["trigger"], row["requested_by"], row["note"]) == ("ready", "manual", "ann", "because")
    assert (str(row["logical_date"]), row["daily"], row["strict"]) == ("2026-11-20", True, True)
    assert json.loads(row["args"]) == {"dry": True}
    assert await audit(connection) == [
        {
            "who": "ann", "origin": "cli", "action": "run-job", "target": f"run {run}", "reason": "because",
            "before": None,
            "after": {"job": "test.money", "due_at": DUE.isoformat(), "args": {"dry": True}, "again": False},
        }
    ]  # fmt: skip
    await news(heard, "ready")


async def test_a_sensitive_job_wants_a_reason_and_nothing_is_written_without(connection: asyncpg.Connection) -> None:
    with pytest.raises(Invalid, match=r"test\.money is sensitive: say why with --reason"):
        await actions.request_run(connection, Actor("ann"), MONEY, due_at=DUE)
    run = await add_run(connection, MONEY, "failed")
    for refused in (actions.retry_runs, actions.waive_runs):
        with pytest.raises(Invalid, match="sensitive"):
            await refused(connection, Actor("ann", reason=" "), JOBS, [run])
    gone = await add_run(connection, a_job(body, OnDemand(), "test.gone"), "failed")
    with pytest.raises(Invalid, match=r"test\.gone is not in this configuration"):
        await actions.retry_runs(connection, Actor("ann"), JOBS, [gone])
    assert await audit(connection) == []


async def test_a_date_that_is_covered_names_the_run_and_the_remedy(connection: asyncpg.Connection) -> None:
    first = await actions.request_run(connection, ANN, MONEY, due_at=DUE)
    later = DUE + timedelta(hours=3)
    with pytest.raises(AlreadyCovered) as refusal:
        await actions.request_run(connection, ANN, MONEY, due_at=later)
    assert (refusal.value.run, refusal.value.state) == (first, "ready")
    (problem,) = refusal.value.problems
    assert problem.startswith(f"test.money already has a run for 2026-11-20: run {first} (ready); ")
    assert problem.endswith("; for another: sexton run-job test.money --again")
    await connection.execute("UPDATE sexton.run SET state = 'failed'")
    with pytest.raises(AlreadyCovered, match=f"to try it again: sexton retry {first}"):
        await actions.request_run(connection, ANN, MONEY, due_at=later)
    again = await actions.request_run(connection, ANN, MONEY, due_at=DUE, again=True)
    row = await run_of(connection, again)
    assert row["due_at"] == DUE + timedelta(microseconds=1)
    assert row["logical_date"] == DUE.date()


async def test_an_instant_that_has_its_run_is_refused_even_when_the_date_has_room(
    connection: asyncpg.Connection,
) -> None:
    first = await actions.request_run(connection, ANN, TICK, due_at=DUE)
    with pytest.raises(AlreadyCovered, match=f"already has a run due at 2026-11-20T01:30:00.*run {first}"):
        await actions.request_run(connection, ANN, TICK, due_at=DUE)


async def test_a_job_no_node_has_met_gets_a_row_that_invents_no_past(connection: asyncpg.Connection) -> None:
    await actions.request_run(connection, ANN, TICK, due_at=DUE)
    assert await connection.fetchval("SELECT schedule_fingerprint FROM sexton.job") == "disabled"


@pytest.mark.parametrize("state", ["failed", "cancelled", "skipped", "missed"])
async def test_what_did_not_succeed_can_be_tried_again(connection: asyncpg.Connection, state: str) -> None:
    run = await add_run(connection, TICK, state, failures=3, rescues=6, attempt=4, waived_by="bob")
    await connection.execute("INSERT INTO sexton.cancel_request (run, requested_by) VALUES ($1, 'bob')", run)
    changed = await actions.retry_runs(connection, ANN, JOBS, [run])
    assert [(c.id, c.was, c.state) for c in changed] == [(run, state, "ready")]
    row = await run_of(connection, run)
    assert (row["state"], row["failures"], row["rescues"], row["waived_by"]) == ("ready", 0, 0, None)
    assert row["reason"] == "retried by ann"
    assert row["trigger"] == "schedule"
    assert await connection.fetchval("SELECT count(*) FROM sexton.cancel_request") == 0


async def test_a_missed_run_that_is_retried_really_runs(url: str, connection: asyncpg.Connection) -> None:
    """As a fresh run of the schedule the claim would judge it too late once more."""
    late = a_job(body, Cron("0 6 * * *"), "test.late", max_lateness=timedelta(minutes=5))
    async with node(url, late):
        run = await add_run(connection, late, "missed", reason="too late")
        await actions.retry_runs(connection, ANN, {late.name: late}, [run])
        async with asyncio.timeout(10):
            while (await run_of(connection, run))["state"] != "succeeded":
                await asyncio.sleep(0.01)


async def test_a_failed_try_that_waits_is_brought_forward(connection: asyncpg.Connection) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    run = await add_run(connection, TICK, "ready", failures=1, attempt=1, not_before=later)
    await actions.retry_runs(connection, ANN, JOBS, [run])
    assert (await run_of(connection, run))["not_before"] < later


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("succeeded", "has succeeded; to do its work once more: sexton run-job test.tick --again"),
        ("held", r"is held \(a test\); to let it run: sexton release"),
        ("waiting", "waits for the jobs it depends on"),
        ("ready", "is ready already"),
    ],
)
async def test_what_cannot_be_retried_says_why(connection: asyncpg.Connection, state: str, sentence: str) -> None:
    run = await add_run(connection, TICK, state)
    with pytest.raises(Refused, match=sentence):
        await actions.retry_runs(connection, ANN, JOBS, [run])


async def test_a_running_run_and_a_pass_of_a_poll_are_not_retried(connection: asyncpg.Connection) -> None:
    running = await add_run(connection, TICK, "running", node="00000000-0000-0000-0000-000000000001")
    poll = a_job(body, Poll(timedelta(seconds=30)), "test.poll")
    passed = await add_run(connection, poll, "failed", trigger="poll")
    with pytest.raises(Refused) as refusal:
        await actions.retry_runs(connection, ANN, JOBS | {poll.name: poll}, [running, passed])
    assert refusal.value.problems == (
        f"run {running} (test.tick) is running; to stop it: sexton cancel {running}",
        (
            f"run {passed} (test.poll) was one pass of a poll, and the next pass does the same work; "
            "dead items: sexton retry QUEUE"
        ),
    )


async def test_every_run_that_is_refused_is_named_and_none_is_changed(connection: asyncpg.Connection) -> None:
    good, bad = await add_run(connection, TICK, "failed"), await add_run(connection, TICK, "succeeded", day=1)
    with pytest.raises(Refused) as refusal:
        await actions.retry_runs(connection, ANN, JOBS, [good, bad, 999])
    assert [p.partition(" (")[0] for p in refusal.value.problems] == ["there is no run 999", f"run {bad}"]
    assert (await run_of(connection, good))["state"] == "failed"
    assert await audit(connection) == []


async def test_a_retry_may_not_make_a_second_run_for_a_date(connection: asyncpg.Connection) -> None:
    old = await add_run(connection, MONEY, "cancelled")
    new = await actions.request_run(connection, ANN, MONEY, due_at=DUE + timedelta(hours=1))
    with pytest.raises(AlreadyCovered, match=f"run {new}"):
        await actions.retry_runs(connection, ANN, JOBS, [old])


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
        async with asyncio.timeout(10):
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
        async with asyncio.timeout(20):
            while await connection.fetchval("SELECT count(*) FROM sexton.run WHERE state = 'held'") < 2:
                await asyncio.sleep(0.05)
        before = len(order)
        released = await actions.resume_job(connection, ANN, {money.name: money}, money.name)
        async with asyncio.timeout(20):
            while len(order) < before + len(released):
                await asyncio.sleep(0.02)
    assert order == sorted(order)
    assert len(released) >= 2


async def test_a_schedule_is_overridden_merged_and_reset(connection: asyncpg.Connection, heard: list[str]) -> None:
    job, warnings = await actions.reschedule_job(connection, ANN, MONEY, "0 6 * * mon", "UTC")
    assert (job.trigger, warnings) == (Cron("0 6 * * mon", "UTC"), [])
    job, _ = await actions.reschedule_job(connection, ANN, MONEY, "0 7 * * *")
    assert job.trigger == Cron("0 7 * * *", "UTC")
    job, _ = await actions.reschedule_job(connection, ANN, MONEY, None)
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
    await actions.reschedule_job(connection, ANN, MONEY, None)
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
        await actions.reschedule_job(connection, ANN, MONEY, expression, timezone)
    assert len(refusal.value.problems) == sentences
    assert await connection.fetchval("SELECT count(*) FROM sexton.job") == 0
    assert await audit(connection) == []


async def test_a_poll_cannot_be_rescheduled(connection: asyncpg.Connection) -> None:
    poll = a_job(body, Poll(timedelta(seconds=30)), "test.poll")
    with pytest.raises(Invalid, match="it is a poll or an event handler"):
        await actions.reschedule_job(connection, ANN, poll, "0 0 * * *")


async def test_dead_items_are_ready_again_and_audited_by_key(connection: asyncpg.Connection, heard: list[str]) -> None:
    await connection.execute(
        "CREATE TABLE public.todo AS SELECT n::bigint AS id, CASE WHEN n < 4 THEN 'DEAD' ELSE 'READY' END AS state, "
        "5 AS failures, 2 AS rescues, 0 AS priority, sexton.clock() AS next_attempt_at, null::text AS last_error "
        "FROM generate_series(1, 5) n"
    )
    queue = WorkQueue("public.todo", key="id")
    assert await actions.retry_items(connection, ANN, queue, [2, 5]) == [2]
    assert await actions.retry_items(connection, ANN, queue, None) == [1, 3]
    assert await actions.retry_items(connection, ANN, queue, None) == []
    assert [(r["action"], r["target"], r["after"]["keys"]) for r in await audit(connection)] == [
        ("retry items", "public.todo", [2]),
        ("retry items", "public.todo", [1, 3]),
    ]
    assert await connection.fetchval("SELECT max(failures) FROM public.todo WHERE id < 4") == 0
    await news(heard, "queue:public.todo")
