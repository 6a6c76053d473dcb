"""The commands beside a running daemon: a real one, on an external database, for all tests of this file."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from tests.daemon.cli.conftest import running
from tests.daemon.cli.console import SUITES, Console, besides_delays, environment, settled, until
from tests.databases import Databases


@pytest.fixture(scope="module")
async def database(databases: Databases) -> AsyncIterator[str]:
    async with databases.lent() as lent:
        yield lent


@pytest.fixture(scope="module")
async def daemon(database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, str]]:
    """Its environment. It migrates the house's tables itself."""
    variables = environment(database, tmp_path_factory.mktemp("state"))
    with pytest.MonkeyPatch.context() as patch:
        async with running(Console(variables, None, patch)):  # type: ignore[arg-type]  # captures nothing
            yield variables


@pytest.fixture
def sexton(daemon: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Console:
    return Console(daemon, capsys, monkeypatch)


@pytest.fixture
async def ledger(daemon: dict[str, str], database: str) -> AsyncIterator[asyncpg.Connection]:
    opened = await asyncpg.connect(database)
    yield opened
    await opened.close()


async def test_the_daemon_performs_the_run_and_wait_prints_its_outcome(
    sexton: Console, ledger: asyncpg.Connection
) -> None:
    done = (await sexton.process("run-job", "house.tick", "--wait")).ok()
    run, outcome, *_ = done.out.splitlines()
    assert outcome.startswith("succeeded in ")
    assert besides_delays(done.err) == ""
    node = await ledger.fetchval("SELECT count(*) FROM sexton.node WHERE home LIKE '%/command-%'")
    assert node == 0
    assert (await settled(ledger, int(run)))["state"] == "succeeded"


async def test_without_wait_only_the_id_is_printed(sexton: Console, ledger: asyncpg.Connection) -> None:
    done = (await sexton.beside("run-job", "house.heard", "--args", '{"x": 1}')).ok()
    assert done.err == ""
    assert (await settled(ledger, int(done.out)))["result"] == '{"x": 1}'


async def test_a_run_of_a_suite_that_no_daemon_has_is_performed_here(
    sexton: Console, ledger: asyncpg.Connection, tmp_path: Path
) -> None:
    (await sexton.beside("new-suite", "fresh", "--into", tmp_path)).ok()
    done = (
        await sexton.process("run-job", "fresh.greet", "--wait", SEXTON_SUITES="fresh", PYTHONPATH=str(tmp_path))
    ).ok()
    assert done.err == "no daemon with the suite fresh is running: performing it here\n"
    assert (await settled(ledger, int(done.out.split()[0])))["state"] == "succeeded"


async def test_a_run_that_nobody_begins_is_told_while_waiting(
    sexton: Console, ledger: asyncpg.Connection, tmp_path: Path
) -> None:
    """A job file that is newer than the daemon."""
    shutil.copytree(SUITES / "house", tmp_path / "house")
    shutil.copy(tmp_path / "house" / "report.py", tmp_path / "house" / "newer.py")
    newer = (tmp_path / "house" / "newer.py").read_text().replace("def report", "def newer")
    (tmp_path / "house" / "newer.py").write_text(newer)
    async with sexton.started("run-job", "house.newer", "--wait", PYTHONPATH=str(tmp_path)) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        run = int(await process.stdout.readline())
        told = b"nobody has begun it yet: every slot may be taken, or no running daemon has house.newer\n"
        assert told in [line async for line in until_said(process.stderr, told)]
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 1
    assert (await ledger.fetchrow("DELETE FROM sexton.run WHERE id = $1 RETURNING state", run))["state"] == "ready"


async def until_said(stream: asyncio.StreamReader, wanted: bytes) -> AsyncIterator[bytes]:
    """Its lines, up to and with that one."""
    async for line in stream:
        yield line
        if line == wanted:
            return


async def test_a_failure_is_told_try_by_try_and_exits_with_1(sexton: Console, ledger: asyncpg.Connection) -> None:
    done = await sexton.process("run-job", "house.broken", "--wait")
    assert done.status == 1
    assert "after 2 tries: ValueError: no luck on try 2" in done.out
    run = done.out.split()[0]
    again = (await sexton.beside("retry", run)).ok()
    assert f"run {run} (house.broken, due " in again.out
    assert again.out.endswith("): failed → ready\n")
    await settled(ledger, int(run))


async def test_ctrl_c_while_waiting_leaves_the_run_alone(
    sexton: Console, ledger: asyncpg.Connection, tmp_path: Path
) -> None:
    enough = tmp_path / "enough"
    args = json.dumps({"until": str(enough)})
    async with sexton.started("run-job", "house.slow", "--args", args, "--wait") as process:
        assert process.stdout is not None
        run = int(await process.stdout.readline())
        await until(lambda: ledger.fetchval("SELECT id FROM sexton.run WHERE id = $1 AND state = 'running'", run))
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
    assert process.returncode == 1
    assert re.fullmatch(
        f"run {run} is (ready|running): not waiting any longer; the run goes on\n", besides_delays(err.decode())
    )
    enough.touch()
    assert (await settled(ledger, run))["state"] == "succeeded"


async def test_a_running_run_is_cancelled_by_its_node(sexton: Console, ledger: asyncpg.Connection) -> None:
    run = int((await sexton.beside("run-job", "house.slow")).ok().out)
    await until(lambda: ledger.fetchval("SELECT id FROM sexton.run WHERE id = $1 AND state = 'running'", run))
    done = (await sexton.process("cancel", run, "--wait")).ok()
    assert f"run {run} (house.slow): asked its node to stop it\n" in done.out
    assert "cancelled by ann" in done.out
    refused = await sexton.beside("cancel", run)
    assert (refused.status, refused.err) == (1, f"error: run {run} (house.slow) is cancelled already\n")


async def test_a_reschedule_is_previewed_and_followed_at_once(sexton: Console, ledger: asyncpg.Connection) -> None:
    done = (await sexton.beside("reschedule", "house.tick", "every 1s", "--reason", "a test")).ok()
    assert done.out.splitlines()[0] == "house.tick: every second"
    assert done.out.splitlines()[1].split() == ["due", "note"]
    assert len(done.out.splitlines()) == 2 + 5
    await until(
        lambda: ledger.fetchval(
            "SELECT count(*) > 1 FROM sexton.run "
            "WHERE job = 'house.tick' AND trigger = 'schedule' AND state = 'succeeded'"
        )
    )
    back = (await sexton.beside("reschedule", "house.tick", "--reset")).ok()
    assert back.out.startswith("house.tick: every hour, as configured\n")
    await until(
        lambda: ledger.fetchval(
            "SELECT schedule_fingerprint LIKE 'every 3600%' FROM sexton.job WHERE name = 'house.tick'"
        )
    )


async def test_a_schedule_that_is_wrong_shows_every_mistake_and_changes_nothing(
    sexton: Console, ledger: asyncpg.Connection
) -> None:
    done = await sexton.beside("reschedule", "close-books", "61 25 * * *")
    assert done.status == 2
    assert done.err.splitlines() == [
        'error: house.nightly: minute "61" cannot be read; values are 0–59',
        'error: house.nightly: hour "25" cannot be read; values are 0–23',
    ]
    nowhere = await sexton.beside("reschedule", "close-books", "0 6 * * *", "--timezone", "Europe/Zurick")
    assert nowhere.status == 2
    assert "Europe/Zurick" in nowhere.err
    assert await ledger.fetchval("SELECT overrides FROM sexton.job WHERE name = 'house.nightly'") == "{}"


async def test_a_paused_job_holds_each_instant_until_it_is_resumed_released_or_waived(
    sexton: Console, ledger: asyncpg.Connection
) -> None:
    """House.nightly every second, paused: held. One is waived, one released, the resume lets the rest go in order."""
    (await sexton.beside("pause", "close-books", "--by", "bob", "--reason", "wrong rates")).ok()
    assert "is paused since" in (await sexton.beside("pause", "close-books")).ok().out
    (await sexton.beside("reschedule", "close-books", "* * * * * *", "--timezone", "UTC")).ok()
    held = "SELECT array_agg(id ORDER BY due_at) FROM sexton.run WHERE job = 'house.nightly' AND state = 'held'"
    runs = await until(lambda: ledger.fetchval(f"SELECT ({held}) WHERE cardinality(({held})) >= 3"))
    (await sexton.beside("reschedule", "close-books", "--reset")).ok()
    assert await ledger.fetchval("SELECT reason FROM sexton.run WHERE id = $1", runs[0]) == "paused by bob"
    waived = (await sexton.beside("waive", runs[0], "--reason", "paid by hand")).ok()
    assert waived.out.endswith("): held → waived\n")
    assert "→ ready" in (await sexton.beside("release", runs[1])).ok().out
    resumed = (await sexton.beside("resume", "close-books")).ok()
    assert resumed.out.startswith("house.nightly is resumed\n")
    assert [(await settled(ledger, run))["state"] for run in runs[1:]] == ["succeeded"] * len(runs[1:])
    rows = await ledger.fetch("SELECT started_at FROM sexton.run WHERE id = ANY($1) ORDER BY due_at", runs[1:])
    began = [row["started_at"] for row in rows]
    assert began == sorted(began)
    again = await sexton.beside("resume", "close-books")
    assert (again.status, again.err) == (1, "error: house.nightly is not paused\n")
    actions = await ledger.fetch(
        "SELECT who, action, reason FROM sexton.audit WHERE target LIKE '%nightly' ORDER BY id"
    )
    assert [tuple(row) for row in actions] == [
        ("bob", "pause", "wrong rates"),
        ("ann", "reschedule", None),
        ("ann", "reschedule", None),
        ("ann", "resume", None),
    ]


async def test_dead_items_are_brought_back_by_key_and_all_at_once(sexton: Console, ledger: asyncpg.Connection) -> None:
    await ledger.execute("INSERT INTO house.todo (item_id) VALUES (13)")
    dead = "SELECT true FROM house.todo WHERE item_id = 13 AND state = 'DEAD'"
    await until(lambda: ledger.fetchval(dead))
    partly = await sexton.beside("retry", "house.todo", 13, 14)
    assert (partly.status, partly.out) == (1, "house.todo: 1 dead item ready again\n")
    assert partly.err == "error: not dead, or not there: 14\n"
    await until(lambda: ledger.fetchval(dead))
    assert (await sexton.beside("retry", "house.todo", "--all")).ok().out == "house.todo: 1 dead item ready again\n"


async def test_status_shows_the_daemon_at_work(sexton: Console, ledger: asyncpg.Connection, tmp_path: Path) -> None:
    enough = tmp_path / "enough"
    run = int((await sexton.beside("run-job", "house.slow", "--args", json.dumps({"until": str(enough)}))).ok().out)

    async def seen() -> bool:
        (node,) = (await sexton.beside("status", "--json")).ok().json["nodes"]
        assert list(node) == ["name", "incarnation", "alive", "uptime_s", "running", "pool", "loop_lag_ms"]
        return [r["run"] for r in node["running"]] == [run]

    await until(seen)
    enough.touch()
    await settled(ledger, run)


async def test_two_commands_at_once_get_along(sexton: Console, ledger: asyncpg.Connection) -> None:
    results = await asyncio.gather(*(sexton.process("run-job", "house.tick", "--wait") for _ in range(3)))
    assert [done.status for done in results] == [0, 0, 0]


async def test_waiting_ends_when_the_last_daemon_does(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sexton = Console(environment(url, tmp_path), capsys, monkeypatch)
    async with (
        running(sexton, SEXTON_NODE__DRAIN_TIMEOUT="0s") as pid,
        sexton.started("run-job", "house.slow", "--wait") as process,
    ):
        assert process.stdout is not None
        run = int(await process.stdout.readline())
        os.kill(pid, signal.SIGTERM)
        _, err = await process.communicate()
    assert process.returncode == 1
    assert f"run {run} is ready: no daemon is running any more" in err.decode()
