"""Runs by hand and retries: what a person may do to the ledger, and what is refused in words."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from daemon import actions
from daemon.actions_deed import Actor, AlreadyCovered, Invalid, Refused
from daemon.job import Poll
from daemon.schedule import Cron, OnDemand
from tests.daemon.actions_house import (
    ANN,
    DUE,
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
        async with asyncio.timeout(60):
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
