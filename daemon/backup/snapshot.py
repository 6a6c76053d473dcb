"""Figures of a database: rows and checksum of every table, from one consistent view."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from daemon import sql
from daemon.backup.manifest import LargeObjects, Table
from daemon.database import connect

SESSION, EXPORT, MIGRATIONS, TABLES, OBJECTS, LARGE_OBJECTS = sql.load(
    __file__, "session", "export", "migrations", "tables", "objects", "large_objects"
)
PIECE = 1 << 20
"""Bytes of a large object that are read at once."""

Progress = Callable[[str, int, int], None]
"""What is being done, how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class Figures:
    """`tables` by name. `large_objects` None: nobody looked."""

    tables: tuple[Table, ...]
    objects: Mapping[str, int]
    large_objects: LargeObjects | None = None


@dataclass(frozen=True, slots=True)
class Exported:
    """A snapshot that is there while its transaction is open. `share` makes another session see it too."""

    id: str
    share: str
    at: datetime
    database: str
    version: str
    major: int
    migrations: Mapping[str, int]
    tables: int


@asynccontextmanager
async def exported(url: str, application: str) -> AsyncIterator[Exported]:
    """The database as it is now, for as long as the block lasts."""
    connection = await connect(url, application, statement_cache=0, command_timeout=None)
    try:
        await _look(connection, None)
        row = await connection.fetchrow(EXPORT.text)
        assert row is not None
        migrations = {r["suite"]: r["version"] for r in await connection.fetch(MIGRATIONS.text)}
        tables = len(await connection.fetch(TABLES.text))
        yield Exported(**row, migrations=migrations, tables=tables)
    finally:
        connection.terminate()


async def figures(
    url: str, application: str, jobs: int, progress: Progress, what: str, share: str | None = None
) -> Figures:
    """Of the snapshot that is shared, else of what each session sees; `jobs` tables at a time."""
    connections: list[asyncpg.Connection] = []
    try:
        for _ in range(jobs):
            connections.append(await connect(url, application, statement_cache=0, command_timeout=None))
            await _look(connections[-1], share)
        todo = list(await connections[0].fetch(TABLES.text))
        objects = {r["kind"]: r["objects"] for r in await connections[0].fetch(OBJECTS.text)}
        large = await connections[0].fetchrow(LARGE_OBJECTS.text, PIECE)
        assert large is not None
        found = await _summed(connections, todo, progress, what)
    finally:
        for connection in connections:
            connection.terminate()
    return Figures(tuple(sorted(found, key=lambda table: table.name)), objects, LargeObjects(**large))


async def _look(connection: asyncpg.Connection, share: str | None) -> None:
    await connection.fetch(SESSION.text)
    await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    if share is not None:
        await connection.execute(share)


async def _summed(
    connections: Sequence[asyncpg.Connection], todo: Sequence[asyncpg.Record], progress: Progress, what: str
) -> list[Table]:
    found: list[Table] = []
    waiting = iter(todo)
    progress(what, 0, len(todo))

    async def work(connection: asyncpg.Connection) -> None:
        for table in waiting:
            row = await connection.fetchrow(table["query"])
            assert row is not None
            found.append(Table(name=table["name"], rows=row["rows"], checksum=row["checksum"]))
            progress(what, len(found), len(todo))

    async with asyncio.TaskGroup() as tasks:
        for connection in connections:
            tasks.create_task(work(connection))
    return found


def differences(wanted: Figures, found: Figures) -> list[str]:
    """PURE: a sentence for each table, for each kind of object and for large objects that are not as they should be."""
    there = {table.name: table for table in found.tables}
    told = []
    for table in wanted.tables:
        other = there.pop(table.name, None)
        if other is None:
            told.append(f"{table.name}: is not there")
        elif other.rows != table.rows:
            told.append(f"{table.name}: {other.rows} rows instead of {table.rows}")
        elif other.checksum != table.checksum:
            told.append(f"{table.name}: its {table.rows} rows are not the same (checksum)")
    told += [f"{name}: was not in the backup" for name in there]
    kinds = sorted({*wanted.objects, *found.objects})
    counts = [(kind, found.objects.get(kind, 0), wanted.objects.get(kind, 0)) for kind in kinds]
    told += [f"{kind}: {now} instead of {then}" for kind, now, then in counts if now != then]
    return told + _large_difference(wanted.large_objects, found.large_objects)


def _large_difference(wanted: LargeObjects | None, found: LargeObjects | None) -> list[str]:
    if wanted is None or found is None or wanted == found:
        return []
    if wanted.objects != found.objects:
        return [f"large objects: {found.objects} instead of {wanted.objects}"]
    return [f"large objects: the {wanted.objects} are not the same (checksum)"]
