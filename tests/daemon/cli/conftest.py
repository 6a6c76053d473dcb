"""A house of jobs, a database for it, and `sexton` to command it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from daemon import catalogue, migrate
from daemon.catalogue import Catalogue
from daemon.settings import Settings
from tests.daemon.cli.console import SUITES, Console, environment


@pytest.fixture(scope="session", autouse=True)
def _house_is_importable() -> None:
    sys.path.insert(0, str(SUITES))


@pytest.fixture(scope="session")
def house(_house_is_importable: None) -> Catalogue:
    return catalogue.load(Settings(suites=("house",)))


@pytest.fixture
async def ledger(connection: asyncpg.Connection) -> asyncpg.Connection:
    """A connection to this test's database, with the house's tables in it."""
    await migrate.migrate(connection, migrate.in_folder("house", SUITES / "house" / "migrations"))
    return connection


@pytest.fixture
def sexton(
    url: str, ledger: asyncpg.Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Console:  # fmt: skip
    """`sexton` on this test's database."""
    return Console(environment(url, tmp_path / "state"), capsys, monkeypatch)


@pytest.fixture
def bare(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Console:
    """`sexton` that has no database and should not need one."""
    return Console(environment("embedded", tmp_path / "state"), capsys, monkeypatch)


@asynccontextmanager
async def running(console: Console, **more: str) -> AsyncIterator[int]:
    """A daemon, ready; stopped in order at the end. Yields its pid."""
    async with console.started("run", **more) as process:
        assert process.stderr is not None
        seen = b""
        while b"is ready" not in seen:
            line = await process.stderr.readline()
            assert line, f"no daemon:\n{seen.decode()}"
            seen += line
        yield process.pid
        if process.returncode is None:
            process.terminate()
        await process.communicate()
        assert process.returncode == 0
