"""One PostgreSQL a test process, one template database, a clone of it for each test that asks."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from daemon import migrate
from daemon.embedded import EmbeddedPostgres

SUITES = {name: f"workers.{name}" for name in ("flights", "investment", "jewellery", "tutoring")}
LOOSE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200"}

_numbers = itertools.count(1)


def on_database(url: str, name: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


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
    """A database with every migration applied; clones of it are cheap."""
    connection = await asyncpg.connect(server)
    await connection.execute("CREATE DATABASE template_sexton")
    await connection.close()
    connection = await asyncpg.connect(on_database(server, "template_sexton"))
    await migrate.migrate(connection, [*migrate.engine_migrations(), *migrate.suite_migrations(SUITES)])
    await connection.close()
    return "template_sexton"


@pytest.fixture
async def url(server: str, template: str) -> AsyncIterator[str]:
    """A migrated database of this test's own."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    admin = await asyncpg.connect(server)
    await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY wal_log')
    try:
        yield on_database(server, name)
    finally:
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await admin.close()


@pytest.fixture
async def connection(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to this test's database."""
    opened = await asyncpg.connect(url)
    try:
        yield opened
    finally:
        await opened.close()
