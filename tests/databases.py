"""Migrated databases for tests, cleaned and lent again: making one copies a thousand files, cleaning one a few rows.

The server's counters tell what a test has written to. Where that is a few small tables, these alone are made as they
were; after anything else, everything is, and the catalogues have to be those of the template.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from daemon import sql

FORM, SCHEMAS, GUESTS, FULL, CLEAR, SEQUENCES, SET_SEQUENCES = sql.load(
    __file__, "form", "schemas", "guests", "full", "clear", "sequences", "set_sequences"
)
TOUCHED, ADD_UP, COUNT_ANEW = sql.load(__file__, "touched", "add_up", "count_anew")
UNTRIGGERED = "SET LOCAL session_replication_role = replica"
PARTING = 1.0
"""Seconds for the backends of connections that a test has closed to notice it."""

_numbers = itertools.count(1)


def on_database(url: str, name: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


async def create(server: str, name: str, template: str) -> str:
    """A copy of the template; returns its URL. Of its files: by the log it would take three times as much."""
    admin = await asyncpg.connect(server)
    try:
        await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
    finally:
        await admin.close()
    return on_database(server, name)


async def drop(server: str, name: str) -> None:
    """Whoever is connected is thrown out."""
    admin = await asyncpg.connect(server)
    try:
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await admin.close()


@dataclass(frozen=True, slots=True)
class Original:
    """What the template holds. `form`: a digest of its catalogue; `rows`: by schema and table, as COPY wrote them."""

    form: str
    schemas: list[str]
    rows: dict[tuple[str, str], bytes]
    sequences: str


@dataclass(frozen=True, slots=True)
class Clean:
    """Since when the server counts what is written to this one, and what then stood of it in shared catalogues."""

    since: datetime
    shared: str


@dataclass
class Databases:
    """Those of one server and template. One that a test left changed in more than rows is dropped."""

    server: str
    template: str
    _free: list[tuple[str, Clean | None]] = field(default_factory=list)
    _original: Original | None = None

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[str]:
        """The URL of one that is like new, for the time of a `with`."""
        if self._original is None:
            self._original = await _original(on_database(self.server, self.template))
        name, clean = self._free.pop() if self._free else (await self._another(), None)
        url = on_database(self.server, name)
        try:
            yield url
        finally:
            if (clean := await _cleaned(url, self._original, clean)) is not None:
                self._free.append((name, clean))
            else:
                await drop(self.server, name)

    async def _another(self) -> str:
        name = f"test_{os.getpid()}_{next(_numbers)}"
        await create(self.server, name, self.template)
        return name


async def _original(url: str) -> Original:
    connection = await asyncpg.connect(url)
    try:
        rows = {}
        for schema, table in await connection.fetch(FULL.text):
            copy = BytesIO()
            await connection.copy_from_table(table, schema_name=schema, output=copy, format="binary")
            rows[schema, table] = copy.getvalue()
        return Original(
            form=await connection.fetchval(FORM.text),
            schemas=await connection.fetchval(SCHEMAS.text),
            rows=rows,
            sequences=await connection.fetchval(SEQUENCES.text),
        )
    finally:
        await connection.close()


async def _cleaned(url: str, original: Original, before: Clean | None) -> Clean | None:
    """It is as new again. It is not, None, while someone is connected, or where more than rows and schemas changed.

    `before`: what the last cleaning came to.
    """
    try:
        connection = await asyncpg.connect(url)
    except asyncpg.PostgresError:
        return None
    try:
        if await _deserted(connection) and await _restored(connection, original, before):
            return await _counted_anew(connection)
        return None
    finally:
        await connection.close()


async def _deserted(connection: asyncpg.Connection) -> bool:
    try:
        async with asyncio.timeout(PARTING):
            while await connection.fetchval(GUESTS.text):
                await asyncio.sleep(0.002)
    except TimeoutError:
        return False
    return True


async def _restored(connection: asyncpg.Connection, original: Original, before: Clean | None) -> bool:
    touched = await connection.fetchrow(TOUCHED.text)
    async with connection.transaction():
        if before == Clean(touched["since"], touched["shared"]) and not touched["changed"]:
            tables = [tuple(name.split(".")) for name in touched["tables"]]
            await connection.execute("; ".join([UNTRIGGERED, *(f'DELETE FROM "{s}"."{t}"' for s, t in tables)]))
            emptied = original.rows.keys() & set(tables)
        else:
            for schema in set(await connection.fetchval(SCHEMAS.text)) - set(original.schemas):
                await connection.execute(f'DROP SCHEMA "{schema}" CASCADE')
            if await connection.fetchval(FORM.text) != original.form:
                return False
            await connection.execute(CLEAR.text)
            emptied = original.rows.keys()
        for schema, table in emptied:
            source = BytesIO(original.rows[schema, table])
            await connection.copy_to_table(table, schema_name=schema, source=source, format="binary")
        await connection.fetchval(SET_SEQUENCES.text, original.sequences)
    return True


async def _counted_anew(connection: asyncpg.Connection) -> Clean:
    """From here on, whatever is written is a test's doing."""
    await connection.fetchval(ADD_UP.text)
    await connection.execute(COUNT_ANEW.text)
    touched = await connection.fetchrow(TOUCHED.text)
    return Clean(touched["since"], touched["shared"])
