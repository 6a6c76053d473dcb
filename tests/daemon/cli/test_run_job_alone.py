"""`sexton run-job` without a daemon: performed here, by the same rules; real processes."""

from __future__ import annotations

import asyncio
import signal

import asyncpg

from daemon.migrate import engine_migrations
from tests.daemon.cli.console import Console, settled, until


async def test_the_run_is_performed_here_and_its_id_and_outcome_printed(
    sexton: Console, ledger: asyncpg.Connection
) -> None:
    done = (await sexton.process("run-job", "house.tick", "--args", '{"a": 1}')).ok()
    run, outcome, *result = done.out.splitlines()
    assert outcome.startswith("succeeded in ")
    assert result == ["{", '  "n": 1', "}"]
    assert "no daemon is running: performing it here" in done.err
    row = await settled(ledger, int(run))
    assert (row["state"], row["trigger"], row["requested_by"], row["attempt"]) == ("succeeded", "manual", "ann", 1)
    assert await ledger.fetchval("SELECT count(*) FROM sexton.run") == 1
    node = await ledger.fetchrow("SELECT home, dead_reason FROM sexton.node")
    assert node is not None
    assert "/command-" in node["home"]
    assert node["dead_reason"] == "stopped"


async def test_a_job_that_fails_is_tried_again_as_it_says_and_ends_with_1(
    sexton: Console, ledger: asyncpg.Connection
) -> None:
    done = await sexton.process("run-job", "house.broken", "--wait")
    assert done.status == 1
    run, outcome = done.out.splitlines()
    assert outcome.startswith("failed in ")
    assert outcome.endswith("after 2 tries: ValueError: no luck on try 2")
    assert "try 1 failed: ValueError: no luck on try 1; the next is at " in done.err
    assert (await settled(ledger, int(run)))["failures"] == 2


async def test_a_daily_job_runs_once_a_date_and_the_refusal_names_the_run(
    sexton: Console, ledger: asyncpg.Connection
) -> None:
    asked = ["run-job", "close-books", "--due-at", "2026-11-20T02:30", "--reason", "late data"]
    first = (await sexton.process(*asked)).ok().out.split()[0]
    assert '"date": "2026-11-20"' in (await sexton.process(*asked, "--again")).ok().out
    report = (await sexton.process("run-job", "house.report", "--due-at", "2026-11-21T07:00")).ok()
    assert (
        f"run {report.out.split()[0]} does not wait, because a person asked for it: house.nightly has not run for "
        "2026-11-21"
    ) in report.err.splitlines()
    refused = await sexton.process(*asked)
    assert refused.status == 1
    assert refused.err.splitlines()[-1] == (
        f"error: house.nightly already has a run for 2026-11-20: run {first} (succeeded); "
        "for another: sexton run-job house.nightly --again"
    )
    unexplained = await sexton.process(*asked[:-2], "--again")
    assert (unexplained.status, unexplained.err.splitlines()[-1]) == (
        2, "error: house.nightly is sensitive: say why with --reason",
    )  # fmt: skip
    assert await ledger.fetchval("SELECT due_at::text FROM sexton.run WHERE id = $1", int(first)) == (
        "2026-11-20 01:30:00+00"
    )


async def test_a_poll_by_hand_works_its_queue(sexton: Console, ledger: asyncpg.Connection) -> None:
    await ledger.execute("INSERT INTO house.todo (item_id) SELECT generate_series(10, 20)")
    done = (await sexton.process("run-job", "house.drain")).ok()
    row = await settled(ledger, int(done.out.split()[0]))
    assert (row["trigger"], row["state"]) == ("manual", "succeeded")
    assert [tuple(r) for r in await ledger.fetch("SELECT item_id, state, last_error FROM house.todo")] == [
        (13, "DEAD", "RuntimeError: unlucky")
    ]


async def test_ctrl_c_gives_the_run_back_at_no_cost(sexton: Console, ledger: asyncpg.Connection) -> None:
    async with sexton.started("run-job", "house.slow") as process:
        assert process.stdout is not None
        run = int(await process.stdout.readline())
        await until(lambda: ledger.fetchval("SELECT id FROM sexton.run WHERE state = 'running'"))
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(60):
            _, err = await process.communicate()
    assert process.returncode == 1
    assert f"run {run} is ready: the next daemon takes it, or: sexton cancel {run}" in err.decode()
    assert b"Traceback" not in err
    row = await ledger.fetchrow("SELECT state, failures FROM sexton.run WHERE id = $1", run)
    assert row is not None
    assert tuple(row) == ("ready", 0)


async def test_a_person_can_cancel_it_from_elsewhere(sexton: Console, ledger: asyncpg.Connection) -> None:
    async with sexton.started("run-job", "house.slow") as process:
        assert process.stdout is not None
        run = int(await process.stdout.readline())
        await until(lambda: ledger.fetchval("SELECT id FROM sexton.run WHERE state = 'running'"))
        cancelled = (await sexton.process("cancel", run, "--wait", "--by", "bob")).ok()
        out, _ = await process.communicate()
    assert "cancelled by bob" in cancelled.out
    assert process.returncode == 1
    assert b"cancelled by bob" in out


async def test_what_must_be_settled_first_is_named_and_not_waited_for(
    sexton: Console, ledger: asyncpg.Connection
) -> None:
    earlier = await ledger.fetchval(
        "INSERT INTO sexton.run (job, due_at, logical_date, trigger, state, not_before, strict, daily) "
        "VALUES ('house.nightly', '2026-11-19 01:30Z', '2026-11-19', 'schedule', 'failed', sexton.clock(), true, true) "
        "RETURNING id"
    )
    done = await sexton.process("run-job", "close-books", "--due-at", "2026-11-20T02:30", "--reason", "x")
    assert done.status == 1
    assert f"run {earlier} of house.nightly comes first, and is failed (sexton retry or waive)" in done.err


async def test_an_empty_database_is_migrated_first_as_a_daemon_would(
    sexton: Console, ledger: asyncpg.Connection
) -> None:
    await ledger.execute("DROP SCHEMA sexton CASCADE; DROP SCHEMA house CASCADE")
    (await sexton.process("run-job", "house.tick")).ok()
    assert await ledger.fetchval("SELECT count(*) FROM sexton.migration") == len(engine_migrations()) + 1
