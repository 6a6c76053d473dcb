"""The admin's own connections: a few that can only read, within bounds, and two that carry out actions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
import asyncpg.pool

from daemon.connections import lost_means_down
from daemon.database import CONNECT_TIMEOUT, DatabaseDown, Outage
from daemon.sql import Statement

READERS, WRITERS = 4, 2
READ_TIMEOUT, WRITE_TIMEOUT, LOCK_TIMEOUT = 5.0, 20.0, 5.0
ACQUIRE_TIMEOUT = 5.0
IDLE = 60.0
CANCEL_PATIENCE = 2.0
GONE = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)


class TooBusy(Exception):
    """Every connection of ours is in use, or what was asked took too long."""


class AdminDatabase:
    """Connections are opened on demand and closed when idle. The work's own connections are never touched.

    A reader's session is read-only and its statements end after READ_TIMEOUT seconds, so that no question of a
    person's slows the work down for long.
    """

    def __init__(self, url: Callable[[], str], application: Callable[[], str], outage: Outage) -> None:
        self._url, self._application, self._outage = url, application, outage
        self._readers: asyncpg.Pool | None = None
        self._writers: asyncpg.Pool | None = None

    async def open(self) -> None:
        # Filters are optional: a plan made for all of them at once would read whole tables.
        reading = {
            "default_transaction_read_only": "on", "statement_timeout": f"{READ_TIMEOUT:g}s",
            "plan_cache_mode": "force_custom_plan",
        }  # fmt: skip
        writing = {"statement_timeout": f"{WRITE_TIMEOUT:g}s", "lock_timeout": f"{LOCK_TIMEOUT:g}s"}
        self._readers = await self._pool(READERS, READ_TIMEOUT, reading)
        self._writers = await self._pool(WRITERS, WRITE_TIMEOUT, writing)

    async def _pool(self, size: int, timeout: float, settings: dict[str, str]) -> asyncpg.Pool:
        """`timeout`: of a statement, by the server's clock; one that answers nothing at all is given a moment more."""

        async def connect(*_: Any, **options: Any) -> asyncpg.Connection:
            options |= {
                "timeout": CONNECT_TIMEOUT,
                "command_timeout": timeout + CANCEL_PATIENCE,
                "statement_cache_size": 100,
                "server_settings": {
                    "TimeZone": "UTC", "application_name": self._application(),
                    "idle_in_transaction_session_timeout": "30s", **settings,
                },
            }  # fmt: skip
            return await asyncpg.connect(self._url(), **options)

        return await asyncpg.create_pool(
            min_size=0, max_size=size, max_inactive_connection_lifetime=IDLE, connect=connect
        )

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[asyncpg.Connection]:
        """A read-only connection for the block. Raises `DatabaseDown` and `TooBusy`."""
        async with self._one(self._readers) as connection:
            yield connection

    @asynccontextmanager
    async def acting(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection for one action. Raises `DatabaseDown` and `TooBusy`."""
        async with self._one(self._writers) as connection:
            yield connection

    async def fetch(self, statement: Statement, *args: object) -> Sequence[asyncpg.Record]:
        async with self.reading() as connection:
            return await connection.fetch(statement.text, *args)

    async def fetchrow(self, statement: Statement, *args: object) -> asyncpg.Record | None:
        async with self.reading() as connection:
            return await connection.fetchrow(statement.text, *args)

    @asynccontextmanager
    async def _one(self, pool: asyncpg.Pool | None) -> AsyncIterator[Any]:
        if pool is None or self._outage.known:
            raise DatabaseDown(self._outage.error or "not open")
        with lost_means_down(self._outage):
            connection = await _acquired(pool)
        try:
            with lost_means_down(self._outage):
                try:
                    yield connection
                except (asyncpg.QueryCanceledError, TimeoutError) as error:  # whether it is lost, the engine finds out
                    raise TooBusy("the database took too long to answer") from error
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError) as error:
            raise TooBusy("somebody else is changing the same") from error
        finally:
            with suppress(*GONE):  # the pool has ended it then; whoever asked hears of what went wrong before
                await pool.release(connection, timeout=CANCEL_PATIENCE)

    async def close(self) -> None:
        for pool in (self._readers, self._writers):
            if pool is not None:
                pool.terminate()
        self._readers = self._writers = None


async def _acquired(pool: asyncpg.Pool) -> Any:
    try:
        return await pool.acquire(timeout=ACQUIRE_TIMEOUT)
    except TimeoutError as error:
        raise TooBusy("all connections of the admin are in use") from error
