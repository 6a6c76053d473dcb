"""Databases that exist for a proof or a restore alone, and are gone afterwards."""

from __future__ import annotations

import hashlib
import os
import platform
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from daemon import sql
from daemon.backup.errors import BackupError
from daemon.database import connect
from daemon.database_url import on_database
from daemon.uninterrupted import to_the_end

CREATE, DROP, RENAME, LEFT_BEHIND, THERE = sql.load(__file__, "create", "drop", "rename", "left_behind", "there")
PREFIX = "sexton_scratch"


class ScratchRefused(BackupError):
    """The server does not let us make a database."""


def ours(directory: Path) -> str:
    """What the names begin with of scratch databases whose makers hold this directory's lock."""
    home = f"{platform.node()}:{os.fspath(directory.resolve())}"
    return f"{PREFIX}_{hashlib.sha256(home.encode()).hexdigest()[:8]}_"


@asynccontextmanager
async def scratch(url: str, application: str, directory: Path) -> AsyncIterator[str]:
    """The URL of an empty database on the same server, dropped in all cases; what a killed attempt left goes first.

    The lock of `directory` must be ours. Raises `ScratchRefused`.
    """
    connection = await connect(url, application, statement_cache=0, command_timeout=None)
    try:
        name = await free_name(connection, directory)
        try:
            await create(connection, name)
            yield on_database(url, name)
        finally:
            await to_the_end(_drop_on_any(connection, url, application, name))
    finally:
        connection.terminate()


async def free_name(connection: asyncpg.Connection, directory: Path) -> str:
    """For one to be made by whoever holds the lock of `directory`; what a killed attempt left is dropped."""
    for row in await connection.fetch(LEFT_BEHIND.text, ours(directory)):
        await drop(connection, row["datname"])
    return ours(directory) + secrets.token_hex(4)


async def create(connection: asyncpg.Connection, name: str) -> None:
    """As the database of the connection in encoding and collation. Raises `ScratchRefused`."""
    statement = await connection.fetchval(CREATE.text, name)
    try:
        await connection.execute(statement)
    except asyncpg.InsufficientPrivilegeError as error:
        role = await connection.fetchval("SHOW session_authorization")
        raise ScratchRefused(
            f"a backup is verified and restored in a database of its own, which {role} may not create ({error}): "
            f"ALTER ROLE {role} CREATEDB, or set backup.verify = false"
        ) from error


async def drop(connection: asyncpg.Connection, name: str) -> None:
    await connection.execute(await connection.fetchval(DROP.text, name))


async def _drop_on_any(connection: asyncpg.Connection, url: str, application: str, name: str) -> None:
    """A statement that was cancelled may have cost the connection: then on a new one."""
    if connection.is_closed():
        connection = await connect(url, application, statement_cache=0, command_timeout=None)
    try:
        await drop(connection, name)
    finally:
        connection.terminate()
