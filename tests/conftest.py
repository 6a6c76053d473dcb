"""One PostgreSQL a test process, one template database, a database like it for each test that asks."""

from __future__ import annotations

import gc
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from hypothesis import HealthCheck, settings

import workers
from daemon import migrate
from daemon.embedded import EmbeddedPostgres
from tests.databases import Databases, on_database
from tests.in_memory import keep_temporary_files_in_memory

SUITES = {
    package.name: f"workers.{package.name}"
    for package in sorted(Path(workers.__path__[0]).iterdir())
    if (package / "__init__.py").is_file()
}
LOOSE = {
    "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off",
    "max_connections": "200",
}  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    keep_temporary_files_in_memory(config)
    _keep_what_is_compiled()


def _keep_what_is_compiled() -> None:
    """Though the machine's habit be another: every test process and hundreds of commands load the same modules."""
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


# A busy machine is no fault of a rule's: what a rule may take is no matter of its examples.
settings.register_profile(
    "patient", settings.get_profile(settings.get_current_profile_name()), deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
settings.load_profile("patient")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """xdist 3.8 writes a test's group into `_nodeid`, which pytest 9.2 reads no more: every group was ignored."""
    for item in items:
        grouped = getattr(item, "_nodeid", item.nodeid)
        if grouped != item.nodeid and hasattr(item, "_id"):
            item._id = type(item._id).parse(grouped)


def pytest_collection_finish() -> None:
    """Hundreds of thousands of objects of tests and libraries stay to the end: looking through them for garbage again
    and again was a sixth of a test process's time."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A test that passed when it was tried again is a bug, and what it said the first time is how to find it."""
    for report in terminalreporter.getreports("rerun"):
        terminalreporter.write_sep("=", f"first try of {report.nodeid}")
        terminalreporter.write_line(report.longreprtext)


@pytest.fixture(scope="session")
async def server() -> AsyncIterator[str]:
    """The URL of a PostgreSQL of this process alone."""
    with tempfile.TemporaryDirectory(prefix="sexton-test-") as state:
        postgres = EmbeddedPostgres(Path(state), settings=LOOSE)
        url = await postgres.start("daemon")
        try:
            yield url
        finally:
            await postgres.stop()


@pytest.fixture(scope="session")
async def template(server: str) -> str:
    """A database with every migration applied."""
    connection = await asyncpg.connect(server)
    await connection.execute("CREATE DATABASE template_sexton")
    await connection.close()
    connection = await asyncpg.connect(on_database(server, "template_sexton"))
    await migrate.migrate(connection, [*migrate.engine_migrations(), *migrate.suite_migrations(SUITES)])
    await connection.close()
    return "template_sexton"


@pytest.fixture(scope="session")
def databases(server: str, template: str) -> Databases:
    """Migrated ones, for `async with databases.lent() as url`."""
    return Databases(server, template)


@pytest.fixture
async def url(databases: Databases) -> AsyncIterator[str]:
    """A migrated database of this test's own."""
    async with databases.lent() as lent:
        yield lent


@pytest.fixture
async def connection(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to this test's database."""
    opened = await asyncpg.connect(url)
    try:
        yield opened
    finally:
        await opened.close()
