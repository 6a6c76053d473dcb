"""Backups that a job makes: under its progress, and with nothing left when its run is stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asyncpg
import pytest

from daemon import Context, OnDemand
from daemon import embedded_process as processes
from daemon.backup.shelf import Shelf
from daemon.events import BackupMade, RunEnded
from tests.daemon.asking import ask
from tests.daemon.backup.conftest import until_dumping
from tests.daemon.harness import a_job, node


async def save(ctx: Context) -> Any:
    made = await ctx.backups.create()
    newest = await ctx.backups.newest_verified()
    return {"made": made.name, "newest": newest.name if newest else None, "pruned": await ctx.backups.prune()}


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    return Shelf(tmp_path / "backups")


async def test_a_job_makes_one_and_the_node_tells_of_it(url: str, connection: asyncpg.Connection, shelf: Shelf) -> None:
    async with node(url, a_job(save, OnDemand(), "test.save")) as running:
        await ask(connection, "test.save")
        assert (await running.event(RunEnded)).outcome == "succeeded"
        made = await running.event(BackupMade)
    assert (shelf.names(), made.verified) == ([made.name], True)
    result = await connection.fetchval("SELECT result FROM sexton.run WHERE job = 'test.save'")
    assert made.name in result


async def test_a_run_that_is_stopped_takes_its_programs_along(
    url: str, connection: asyncpg.Connection, shelf: Shelf
) -> None:
    """As SIGTERM and a lost lease do."""
    async with node(url, a_job(save, OnDemand(), "test.save")) as running:
        locking = await asyncpg.connect(url)
        await locking.execute("BEGIN; LOCK TABLE flights.flight_processing_queue IN ACCESS EXCLUSIVE MODE")
        await ask(connection, "test.save")
        pids = await until_dumping(shelf.directory)
        await running.engine.interrupt("stopped by SIGTERM")
        assert (await running.event(RunEnded)).outcome == "interrupted"
        await locking.close()
    assert [pid for pid in pids if processes.is_alive(pid)] == []
    assert [entry.name for entry in shelf.directory.iterdir()] == [".lock"]
