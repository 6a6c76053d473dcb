"""The worker process's own connection: read-only, opened once, opened again after a loss."""

from __future__ import annotations

import os
from typing import Any

import asyncpg

from daemon import sql

URL = "SEXTON_WORKER_DATABASE_URL"
CONNECT_TIMEOUT_S = 10.0
STATEMENT_TIMEOUT_S = 60.0

_connection: asyncpg.Connection[Any] | None = None

LOST = (
    OSError,
    EOFError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
)
"""What says that the connection is broken or cannot be had: reading again on another is safe."""


class DatabaseUnavailableError(Exception):
    """The database cannot be reached now. Nothing is wrong with what was asked."""


async def fetch(statement: sql.Statement, *args: object) -> list[asyncpg.Record]:
    """The rows of a read-only statement; after a lost connection once more on a new one.

    Raises `DatabaseUnavailableError`.
    """
    if _connection is not None and not _connection.is_closed():
        try:
            return await _connection.fetch(statement.text, *args, timeout=STATEMENT_TIMEOUT_S)
        except (*LOST, asyncpg.InterfaceError):
            await close()
    try:
        return await (await connection()).fetch(statement.text, *args, timeout=STATEMENT_TIMEOUT_S)
    except LOST as error:
        await close()
        raise unavailable(error) from error


async def connection() -> asyncpg.Connection[Any]:
    """Raises `DatabaseUnavailableError`, also when it is turned away: no flight is to blame for a password."""
    global _connection  # noqa: PLW0603 - one per process is the point
    if _connection is None or _connection.is_closed():
        try:
            _connection = await asyncpg.connect(
                os.environ[URL],
                timeout=CONNECT_TIMEOUT_S,
                server_settings={"default_transaction_read_only": "on", "jit": "off"},
            )
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise unavailable(error) from error
    return _connection


def unavailable(error: Exception) -> DatabaseUnavailableError:
    return DatabaseUnavailableError(f"{type(error).__name__}: {error}")


async def close() -> None:
    global _connection
    if _connection is not None:
        lost, _connection = _connection, None
        lost.terminate()
