"""`sexton backup` as a process: what it prints, how it ends, and that no end of it harms what is there."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from daemon import embedded_process as processes
from daemon.alerting import DUE
from daemon.database_url import on_database
from tests.daemon.cli.console import PATIENCE, ROOT, Console, Done, environment
from tests.daemon.embedded_support import leftovers

ENOUGH = """CREATE TABLE house.bulk AS SELECT g, md5(g::text) || md5((-g)::text) AS noise
    FROM generate_series(1, 90000) g"""


def folders(state: Path) -> list[str]:
    return sorted(entry.name for entry in (state / "backups").iterdir() if entry.name != ".lock")


async def shell(sexton: Console, script: str, **more: str) -> Done:
    """`$SEXTON` in the script is this program."""
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", script), cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **sexton.environment, "SEXTON": f"{sys.executable} -m daemon", **more},
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), 3 * PATIENCE)  # several commands
    assert process.returncode is not None
    return Done(process.returncode, out.decode(), err.decode())


@pytest.fixture
def state(sexton: Console) -> Path:
    return Path(sexton.environment["SEXTON_DATABASE__STATE_DIR"])


async def test_a_backup_is_made_listed_verified_and_pruned(
    sexton: Console, state: Path, ledger: asyncpg.Connection
) -> None:
    assert sexton("backup", "list").ok().err == f"there are no backups in {state}/backups, which is not there\n"
    done = (await sexton.process("backup", "create")).ok()
    (name,) = folders(state)
    assert done.out.startswith(f"{name}: ")
    assert "verified" in done.out
    assert "backup: compared" in done.err
    listed = sexton("backup", "list", "--json").ok().json
    assert [(b["name"], b["problem"], b["verified_at"] is not None) for b in listed] == [(name, None, True)]
    assert list(listed[0]) == [
        "name", "taken_at", "bytes", "sha256", "tables", "rows", "verified_at", "sexton", "postgresql", "problem",
    ]  # fmt: skip
    assert name in sexton("backup", "list").ok().out
    assert f"{name}: restored and compared" in (await sexton.process("backup", "verify")).ok().out
    assert sexton("backup", "prune").ok().out == ""
    elsewhere = on_database(sexton.environment["SEXTON_DATABASE__URL"], f"elsewhere_{os.getpid()}")
    done = (await sexton.process("backup", "restore", name, "--into", elsewhere, "--no-owner")).ok()
    assert f"is restored into elsewhere_{os.getpid()}: " in done.out
    await ledger.execute(f"DROP DATABASE elsewhere_{os.getpid()}")
    unknown = await sexton.process("backup", "verify", "first")
    assert (unknown.status, len(unknown.err.splitlines())) == (2, 1)


@asynccontextmanager
async def in_the_middle(
    sexton: Console, state: Path, ledger: asyncpg.Connection
) -> AsyncIterator[tuple[int, list[int]]]:
    """A backup that cannot go on, because a table is locked; its pid, and those of its pg_dump."""
    async with ledger.transaction():
        await ledger.execute("LOCK TABLE house.todo IN ACCESS EXCLUSIVE MODE")
        async with sexton.started("backup", "create", "--no-verify") as process:
            async with asyncio.timeout(PATIENCE):
                while not (pids := processes.mentioning(f"--file={state}/backups/.")):
                    assert process.returncode is None
                    await asyncio.sleep(0.02)
            yield process.pid, pids
            async with asyncio.timeout(PATIENCE):
                await process.wait()
                while any(processes.is_alive(pid) for pid in pids):
                    await asyncio.sleep(0.02)


async def test_kill_9_leaves_old_backups_intact_and_the_next_one_tidies_up(
    sexton: Console, state: Path, ledger: asyncpg.Connection
) -> None:
    (await sexton.process("backup", "create", "--no-verify")).ok()
    (kept,) = folders(state)
    async with in_the_middle(sexton, state, ledger) as (pid, _):
        os.kill(pid, signal.SIGKILL)
    partial, same = folders(state)
    assert (partial.startswith("."), partial.endswith(".partial"), same) == (True, True, kept)
    assert [b["name"] for b in sexton("backup", "list", "--json").ok().json] == [kept]
    (await sexton.process("backup", "create", "--no-verify")).ok()
    assert folders(state)[0] == kept
    assert len(folders(state)) == 2


async def test_sigterm_ends_it_in_good_order(sexton: Console, state: Path, ledger: asyncpg.Connection) -> None:
    async with in_the_middle(sexton, state, ledger) as (pid, _):
        os.kill(pid, signal.SIGTERM)
    assert folders(state) == []


async def test_a_file_that_may_not_grow_is_told_as_a_full_disk_and_alerts(
    sexton: Console, state: Path, ledger: asyncpg.Connection
) -> None:
    (await sexton.process("backup", "create", "--no-verify")).ok()
    kept = folders(state)
    await ledger.execute(ENOUGH)
    done = await shell(sexton, "ulimit -c 0; ulimit -f 500; exec $SEXTON backup create --no-verify")
    assert done.status == 1
    told = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert len(told) == 1
    assert f"error: {state}/backups: " in told[0]
    assert "make room there, shorten backup.retention (sexton backup prune), or set backup.directory" in told[0]
    assert folders(state) == kept
    alert = await ledger.fetchrow("SELECT kind, subject, detail FROM sexton.alert WHERE closed_at IS NULL")
    assert alert is not None
    assert (alert["kind"], alert["subject"]) == ("backup", "backup")
    assert alert["detail"] in done.err
    status = await sexton.process("status", "--json")
    assert [m["kind"] for m in status.json["attention"] if m.get("all") == "backup"] == ["failed"]
    assert re.search(r"^failed +backup +since ", (await sexton.process("status")).out, re.MULTILINE)
    (await sexton.process("backup", "create", "--no-verify")).ok()
    assert await ledger.fetchval("SELECT count(*) FROM sexton.alert WHERE closed_at IS NULL") == 0
    assert await ledger.fetch(DUE.text, None, 9) == []


async def test_a_disk_that_is_full_keeps_what_it_has(
    sexton: Console, state: Path, ledger: asyncpg.Connection, tmp_path: Path
) -> None:
    """A real one, of two megabytes, in a mount namespace of its own."""
    probe = await shell(sexton, "unshare --user --map-root-user --mount mount -t tmpfs tmpfs /mnt")
    if probe.status != 0:
        pytest.skip("needs user namespaces")
    (await sexton.process("backup", "create", "--no-verify")).ok()
    (kept,) = folders(state)
    await ledger.execute(ENOUGH)
    script = f"""set -e; mkdir {tmp_path}/disk; mount -t tmpfs -o size=2m tmpfs {tmp_path}/disk
    cp -a {state}/backups/. {tmp_path}/disk; export SEXTON_BACKUP__DIRECTORY={tmp_path}/disk
    $SEXTON backup create --no-verify && exit 9; $SEXTON backup verify {kept}; ls -A {tmp_path}/disk"""
    inside = script.replace('"', '\\"').replace("$", "\\$")
    done = await shell(sexton, f'unshare --user --map-root-user --mount bash -c "{inside}"')
    assert "No space left on device" in done.err, done
    assert f"error: {tmp_path}/disk: " in done.err
    proven, *there = done.out.splitlines()
    assert proven.startswith(f"{kept}: restored and compared")
    assert there == [".lock", kept]


async def test_the_embedded_database_comes_back_from_nothing_but_a_backup(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    state, vault = tmp_path / "state", tmp_path / "vault"
    sexton = Console(environment("embedded", state) | {"SEXTON_BACKUP__DIRECTORY": str(vault)}, capsys, monkeypatch)
    (await sexton.process("migrate")).ok()
    made = (await sexton.process("backup", "create", "--no-verify")).ok()
    assert leftovers(state) == []
    shutil.rmtree(state)
    done = (await sexton.process("backup", "restore", "latest", "--reason", "the disk died")).ok()
    figures = re.search(r": (\d+ tables, \d+ rows), ", made.out)
    assert figures is not None
    assert f"is restored into sexton: {figures[1]}, compared" in done.out
    assert "held for a person: what was under way (runs: 0, messages: 0)" in done.out
    again = await sexton.process("backup", "restore", "latest")
    assert (again.status, again.err.count("\n")) == (1, 1)
    assert "sexton is not empty" in again.err
    assert leftovers(state) == []
