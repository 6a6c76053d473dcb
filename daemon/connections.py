"""The connections that jobs use, apart from the engine's own, and how a transaction on them begins and ends."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from typing import Any

import anyio
import asyncpg
import asyncpg.pool

from daemon.database import CONNECT_TIMEOUT, DatabaseDown, Outage, means_lost
from daemon.sql import Statement
from daemon.transaction import Row

ROLLBACK_PATIENCE = 2.0
WRITES = ("insert", "update", "delete", "merge", "copy")

Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy


class JobConnections:
    """A pool of connections for job bodies, opened on demand and closed when idle.

    Session settings keep a frozen holder from blocking its successor: a transaction that idles for a whole
    lease is ended by the server, and a vanished client is noticed while its statement runs. `waiting` bodies wait
    for one; `handed_out` is how many were given, for which bodies `waited` so many seconds together.
    """

    def __init__(
        self, url: Callable[[], str], application: Callable[[], str], outage: Outage, *, size: int, lease: float,
        statement_cache: int = 256,
    ) -> None:  # fmt: skip
        self._url = url
        self._application = application
        self._outage = outage
        self.size = size
        self.lease = lease
        self._cache = statement_cache
        self._settings = {
            "TimeZone": "UTC",
            "idle_in_transaction_session_timeout": f"{int(lease * 1000)}ms",
            "client_connection_check_interval": f"{max(int(lease * 250), 100)}ms",
            "tcp_keepalives_idle": "10",
            "tcp_keepalives_interval": "5",
            "tcp_keepalives_count": "3",
        }
        self.waiting = self.handed_out = 0
        self.waited = 0.0
        self._pool: asyncpg.Pool | None = None

    @property
    def idle(self) -> int:
        return self._pool.get_idle_size() if self._pool is not None else 0

    @property
    def used(self) -> int:
        return self._pool.get_size() - self._pool.get_idle_size() if self._pool is not None else 0

    async def _connect(self, *_: Any, **options: Any) -> asyncpg.Connection:
        options |= {
            "timeout": CONNECT_TIMEOUT,
            "statement_cache_size": self._cache,
            "server_settings": {**self._settings, "application_name": self._application()},
        }
        return await asyncpg.connect(self._url(), **options)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Connection]:
        """A connection for the block. Raises `DatabaseDown` when none can be had."""
        if self._pool is None:
            self._pool = asyncpg.create_pool(
                min_size=0, max_size=self.size, connect=self._connect, reset=_nothing_to_reset
            )
            await self._pool
        connection = await self._acquired(self._pool)
        try:
            yield connection
        finally:
            with anyio.CancelScope(shield=True):
                await self._pool.release(connection)

    async def _acquired(self, pool: asyncpg.Pool) -> asyncpg.pool.PoolConnectionProxy:
        began = time.monotonic()
        self.waiting += 1
        try:
            with lost_means_down(self._outage):
                connection = await pool.acquire()
        finally:
            self.waiting -= 1
        self.handed_out += 1
        self.waited += time.monotonic() - began
        return connection

    async def renew(self) -> None:
        """New connections from here on: the incarnation they carry has changed."""
        if self._pool is not None:
            await self._pool.expire_connections()

    async def close(self) -> None:
        if self._pool is not None:
            self._pool.terminate()
            self._pool = None


async def _nothing_to_reset(_: asyncpg.Connection) -> None:
    """Transactions set everything LOCAL, so that giving a connection back costs no round trip."""


@contextmanager
def lost_means_down(outage: Outage) -> Iterator[None]:
    """Turns a lost connection into `DatabaseDown`; wraps single calls, never a body's own code."""
    try:
        yield
    except Exception as error:
        if means_lost(error):
            outage.began(error)
            raise DatabaseDown(str(error)) from error
        raise


@asynccontextmanager
async def rolled_back_on_error(connection: Connection) -> AsyncIterator[None]:
    """Whatever ends the block early ends the transaction too, on the server as well, within a bound."""
    try:
        yield
    except BaseException:
        with anyio.CancelScope(shield=True), anyio.move_on_after(ROLLBACK_PATIENCE) as patience:
            try:
                if not connection.is_closed():
                    await connection.execute("ROLLBACK")
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
                drop(connection)
        if patience.cancelled_caught:
            drop(connection)
        raise


def drop(connection: Connection) -> None:
    """End it without waiting for the server. One that is lost has left the pool already, which must hide no error."""
    with suppress(asyncpg.InterfaceError):
        connection.terminate()


class TransactionIdled(RuntimeError):
    """The server ended a transaction in which nothing was said for a whole lease: its locks stood in others' way."""


class Session:
    """Statements on one connection, as `Transaction` and `Reader` promise them to a job body.

    `patience`: seconds without a statement after which the server ends the transaction. Doing so would be the
    body's fault and is charged as such; any other loss of the connection is nobody's. `written` counts the rows of
    each kind of statement that was executed: insert, update, delete, merge, and copy.
    """

    def __init__(self, connection: Connection, outage: Outage, patience: float = math.inf) -> None:
        self.connection = connection
        self._outage = outage
        self._patience = patience
        self.written: Counter[str] = Counter()
        self._spoke = time.monotonic()

    @contextmanager
    def _asked(self) -> Iterator[None]:
        silent = time.monotonic() - self._spoke
        try:
            with lost_means_down(self._outage) if silent < self._patience else nullcontext():
                yield
        except Exception as error:
            if silent >= self._patience and means_lost(error):
                raise TransactionIdled(
                    f"no statement for {silent:.1f} s in a transaction, and the server ends it after "
                    f"{self._patience:g} s (node.lease); do what takes long before the transaction begins"
                ) from error
            raise
        self._spoke = time.monotonic()

    async def fetch(self, statement: Statement, *args: object) -> Sequence[Row]:
        with self._asked():
            return await self.connection.fetch(statement.text, *args)

    async def fetchrow(self, statement: Statement, *args: object) -> Row | None:
        with self._asked():
            return await self.connection.fetchrow(statement.text, *args)

    async def fetchval(self, statement: Statement, *args: object) -> Any:
        with self._asked():
            return await self.connection.fetchval(statement.text, *args)

    async def execute(self, statement: Statement, *args: object) -> int:
        with self._asked():
            return self._noted(await self.connection.execute(statement.text, *args))

    async def copy_records(self, table: str, columns: Sequence[str], records: Sequence[Sequence[object]]) -> int:
        schema, _, name = table.rpartition(".")
        with self._asked():
            status = await self.connection.copy_records_to_table(
                name, schema_name=schema or None, columns=list(columns), records=records
            )
        return self._noted(status)

    def _noted(self, status: str) -> int:
        rows, kind = _rows(status), status.partition(" ")[0].lower()
        if rows and kind in WRITES:
            self.written[kind] += rows
        return rows

    async def commit(self) -> None:
        """The end of a transaction that nothing hangs on."""
        with self._asked():
            await self.connection.execute("COMMIT")

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """What the block does is undone alone if it raises; the transaction goes on."""
        with self._asked():
            await self.connection.execute("SAVEPOINT step")
        try:
            yield
        except Exception:
            with self._asked():
                await self.connection.execute("ROLLBACK TO SAVEPOINT step; RELEASE SAVEPOINT step")
            raise
        with self._asked():
            await self.connection.execute("RELEASE SAVEPOINT step")


def _rows(status: str) -> int:
    """`INSERT 0 12` → 12; statements that count nothing give 0."""
    last = status.rpartition(" ")[2]
    return int(last) if last.isdigit() else 0
