"""Connections that heal, and one place that knows whether the database is there.

A lost database is an expected state: whoever meets it gets `DatabaseDown`, waits for `Outage.over()`
and goes on. Nothing else in the engine reasons about sockets.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from daemon.events import DatabaseBack, DatabaseLost, Event
from daemon.sql import Statement

CONNECT_TIMEOUT = 5.0
COMMAND_TIMEOUT = 60.0
RETRY_FIRST, RETRY_MOST = 0.1, 1.0

CONNECTION_LOST = (
    OSError,
    EOFError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InternalClientError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)


REFUSED = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
)
"""It answers, and will not have us: no such role, password, database or permission."""


class DatabaseDown(Exception):
    """The database did not answer. What was asked may or may not have happened."""


def means_lost(error: BaseException) -> bool:
    """Whether an error says "the connection is gone" rather than "the statement is wrong"."""
    if isinstance(error, asyncpg.InterfaceError):
        return "closed" in str(error) or "connection" in str(error)
    return isinstance(error, CONNECTION_LOST)


class Outage:
    """Whether the database is known to be away, since when, and a way to wait until it is back."""

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self._ended = asyncio.Event()
        self._ended.set()
        self._begun = asyncio.Event()
        self.since: float | None = None
        self.error = ""

    @property
    def known(self) -> bool:
        return self.since is not None

    def began(self, error: BaseException) -> None:
        self.error = f"{type(error).__name__}: {error}".strip(": ")
        if self.since is None:
            self.since = time.monotonic()
            self._ended.clear()
            self._begun.set()
            self._emit(DatabaseLost(self.error))

    def ended(self) -> None:
        if self.since is not None:
            lasted, self.since = time.monotonic() - self.since, None
            self._begun.clear()
            self._ended.set()
            self._emit(DatabaseBack(lasted))

    async def over(self) -> None:
        await self._ended.wait()

    async def begins(self) -> None:
        await self._begun.wait()


async def connect(url: str, application: str, *, statement_cache: int = 256, **options: Any) -> asyncpg.Connection:
    """A connection named for `pg_stat_activity` and set up so that a frozen holder cannot block its successor."""
    return await asyncpg.connect(
        url,
        timeout=CONNECT_TIMEOUT,
        command_timeout=options.pop("command_timeout", COMMAND_TIMEOUT),
        statement_cache_size=statement_cache,
        server_settings={"application_name": application, "TimeZone": "UTC", **options},
    )


class Link:
    """One connection that is opened when needed and reopened when lost; statements run one at a time."""

    def __init__(
        self,
        url: Callable[[], str],
        application: Callable[[], str],
        outage: Outage,
        *,
        statement_cache: int = 256,
    ) -> None:
        self._url = url
        self._application = application
        self._outage = outage
        self._cache = statement_cache
        self._lock = asyncio.Lock()
        self._connection: asyncpg.Connection | None = None
        self._renew = False
        self.answered = time.monotonic()

    async def fetch(self, statement: Statement, *args: object) -> Sequence[asyncpg.Record]:
        async with self.held() as connection:
            return await connection.fetch(statement.text, *args)

    async def fetchrow(self, statement: Statement, *args: object) -> asyncpg.Record | None:
        rows = await self.fetch(statement, *args)
        return rows[0] if rows else None

    async def fetchval(self, statement: Statement, *args: object) -> Any:
        row = await self.fetchrow(statement, *args)
        return row[0] if row else None

    @asynccontextmanager
    async def held(self) -> AsyncIterator[asyncpg.Connection]:
        """The connection, ours alone for the block. Raises `DatabaseDown` when it is or gets lost."""
        async with self._lock:
            try:
                if self._renew:
                    self._renew = False
                    self.drop()
                if self._connection is None or self._connection.is_closed():
                    self._connection = await connect(self._url(), self._application(), statement_cache=self._cache)
                yield self._connection
                self.answered = time.monotonic()
            except BaseException as error:
                # A statement interrupted by cancellation leaves the protocol in doubt: start afresh.
                if means_lost(error) or isinstance(error, asyncio.CancelledError):
                    self.drop()
                if means_lost(error):
                    self._outage.began(error)
                    raise DatabaseDown(str(error)) from error
                raise

    def renew(self) -> None:
        """A new connection for the next statement: the incarnation that its name carries has changed."""
        self._renew = True

    def drop(self) -> None:
        """Forget the connection without waiting for the server."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and not connection.is_closed():
            try:
                await connection.close(timeout=1)
            except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                connection.terminate()


async def watch_outage(link: Link, outage: Outage, clock: Statement) -> None:
    """Whenever the database is away, ask until it answers: back within a second of its return."""
    while True:
        await outage.begins()
        pause = RETRY_FIRST
        while outage.known:
            try:
                await link.fetchval(clock)
            except DatabaseDown:
                await asyncio.sleep(pause)
                pause = min(pause * 2, RETRY_MOST)
            else:
                outage.ended()
