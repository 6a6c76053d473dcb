"""What a job body holds while it runs: its instant, its fenced transactions, a worker process when it needs one."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import anyio

from daemon import ledger, sql
from daemon.command import Finished, run_command
from daemon.connections import Connection, Session, drop, lost_means_down, rolled_back_on_error
from daemon.database import Outage
from daemon.facilities import Facilities
from daemon.fence import CursorError
from daemon.job import Drained, Poll
from daemon.jsonable import to_json
from daemon.ledger import Claimed
from daemon.outbox import Letter, Missing, leave
from daemon.run_ledger import RunLedger, timezone_name

if TYPE_CHECKING:
    import httpx

    from daemon.active_run import ActiveRun
    from daemon.backup.for_jobs import JobBackups
    from daemon.drain import Perform, Save, SaveFailures
    from daemon.queue import WorkQueue

WAS_HELD, GRANTS = sql.load(__file__, "was_held", "grants")

UNMOVED: Any = object()
HTTP_TIMEOUT = 10.0


class FencedTransaction(Session):
    """A `Session` whose COMMIT is decided by the run's token."""

    def __init__(
        self, connection: Connection, outage: Outage, patience: float, *, suite: str, run: int, missing: Missing
    ) -> None:  # fmt: skip
        super().__init__(connection, outage, patience)
        self._suite, self._run, self._missing = suite, run, missing
        self.reported: object = None

    def result(self, value: object) -> None:
        self.reported = value

    async def notify(self, template: str, *, key: str, **options: Any) -> bool:
        """See `daemon.transaction.Transaction`; options are `daemon.outbox.Letter`'s fields. Raises `MessageError`."""
        letter = Letter(template=template, key=key, **options)
        return await leave(self, self._suite, self._run, letter, self._missing)


class RunContext:
    """Implements `daemon.job.Context`. One per try of a run."""

    def __init__(self, run: ActiveRun, facilities: Facilities) -> None:
        self._run = run
        self._lent = facilities
        self._ledger = RunLedger(run, facilities)
        self._limit = asyncio.Semaphore(max(run.job.connections, 1))
        self._cursor = run.claimed.cursor
        self._closers: list[Callable[[], Awaitable[object]]] = []
        self._http: httpx.AsyncClient | None = None
        self.completed = False
        self.completed_result: object = None

    @property
    def _claimed(self) -> Claimed:
        return self._run.claimed

    @property
    def run_id(self) -> int:
        return self._claimed.id

    @property
    def due_at(self) -> datetime:
        return self._claimed.due_at.astimezone(ZoneInfo(timezone_name(self._run.job)))

    @property
    def logical_date(self) -> date:
        return self._claimed.logical_date

    @property
    def business_date(self) -> date:
        return self.logical_date - timedelta(days=self._run.job.business_day_offset)

    @property
    def attempt(self) -> int:
        return self._claimed.attempt

    @property
    def args(self) -> Mapping[str, Any]:
        return self._claimed.args

    @property
    def cursor(self) -> Any:
        return self._cursor

    @property
    def settings(self) -> Any:
        return self._lent.settings.get(self._run.job.suite)

    @property
    def log(self) -> logging.LoggerAdapter[Any]:
        area = "INGESTION" if isinstance(self._run.job.trigger, Poll) else "SCHEDULED"
        fields = {"run": self.run_id, "attempt": self.attempt, "job": self._run.job.name, "area": area}
        return logging.LoggerAdapter(logging.getLogger(f"sexton.job.{self._run.job.name}"), fields)

    @property
    def free_workers(self) -> int:
        return self._lent.free_workers()

    def now(self) -> datetime:
        return self._lent.now()

    async def released(self) -> bool:
        row = await self._lent.link.fetchrow(WAS_HELD, self.run_id)
        return row is not None

    async def granted(self) -> Mapping[str, Any]:
        rows = await self._lent.link.fetch(GRANTS, self.run_id)
        return {name: value for row in rows for name, value in json.loads(row["grants"]).items()}

    async def progress(self, done: float, total: float | None = None) -> None:
        self._run.done, self._run.total = done, total
        await anyio.lowlevel.checkpoint()

    def still_alive(self) -> None:
        """A poll's deadline is for standing still, not for the whole of a long queue."""
        self._run.leash.extend(self._run.job.timeout.total_seconds())

    async def compute(self, fn: Callable[..., Any], *args: Any, timeout: timedelta | None = None) -> Any:
        seconds = timeout.total_seconds() if timeout else None
        return await self._lent.compute(fn, *args, timeout=seconds, name=self._run.job.name)

    async def command(
        self,
        arguments: Sequence[str],
        *,
        timeout: timedelta | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Finished:
        return await run_command(arguments, timeout=timeout or self._run.job.timeout, environment=environment)

    @property
    def backups(self) -> JobBackups:
        from daemon.backup.for_jobs import JobBackups  # most jobs make none

        def show(done: float, total: float) -> None:
            self._run.done, self._run.total = done, total

        return JobBackups(self._lent.backups(), self._lent.outage, self._lent.now, show)

    @property
    def http(self) -> httpx.AsyncClient:
        if self._http is None:
            import httpx  # most jobs talk to nobody

            self._http = httpx.AsyncClient(timeout=HTTP_TIMEOUT, follow_redirects=False)
            self._closers.append(self._http.aclose)
        return self._http

    @asynccontextmanager
    async def transaction(self, *, cursor: object = UNMOVED) -> AsyncIterator[FencedTransaction]:
        """One batch; see `daemon.job.Context`. Raises `Fenced`, `CursorError`, `DatabaseDown`."""
        text = None if cursor is UNMOVED else to_json(cursor)
        self._check_cursor(text)
        async with self._begun() as tx:
            yield tx
            await self._ledger.fence(tx, text)
            await self._ledger.commit(tx.connection, cursor=text)
        self._run.written += tx.written
        if text is not None:
            self._cursor = json.loads(text)
            self._run.moved = True

    @asynccontextmanager
    async def completing(self) -> AsyncIterator[FencedTransaction]:
        """The last or only transaction; see `daemon.job.Context`. Raises `Fenced`, `DatabaseDown`."""
        async with self._begun() as tx:
            yield tx
            await self._ledger.complete(tx, ledger.encoded(tx.reported))
            await self._ledger.commit(tx.connection, completes=True)
        self._run.written += tx.written
        self.completed, self.completed_result = True, tx.reported

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Session]:
        async with self._connection() as connection, rolled_back_on_error(connection):
            with lost_means_down(self._lent.outage):
                await connection.execute(f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {self._local_settings()}")
            reader = Session(connection, self._lent.outage, self._lent.connections.lease)
            yield reader
            await reader.commit()

    @asynccontextmanager
    async def autocommit(self) -> AsyncIterator[Session]:
        async with self._connection() as connection:
            try:
                yield Session(connection, self._lent.outage)
            finally:
                drop(connection)  # session settings a body may have made must not reach another run

    async def drain(
        self, queue: WorkQueue, perform: Perform, save: Save, *, timeout: timedelta | None = None,
        save_failures: SaveFailures | None = None,
    ) -> AsyncIterator[Drained]:  # fmt: skip
        """Work a queue until it is empty; see `daemon.drain`."""
        from daemon.drain import Drain  # only pollers need it

        drain = Drain(self, self._lent, queue, perform, save, timeout or self._run.job.timeout, save_failures)
        self._closers.append(drain.close)
        async for drained in drain.batches():
            yield drained

    async def open(self) -> None:
        """Give a poll its ledger row now; a run that has one keeps it."""
        await self._ledger.ensure_open()

    async def close(self) -> None:
        for closer in reversed(self._closers):
            await closer()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        async with self._limit, self._lent.connections.one() as connection:
            yield connection

    @asynccontextmanager
    async def _begun(self) -> AsyncIterator[FencedTransaction]:
        await self._ledger.ensure_open()
        async with self._connection() as connection, rolled_back_on_error(connection):
            with lost_means_down(self._lent.outage):
                await connection.execute(f"BEGIN; {self._local_settings()}")
            yield FencedTransaction(
                connection, self._lent.outage, self._lent.connections.lease,
                suite=self._run.job.suite, run=self.run_id, missing=self._lent.missing_template,
            )  # fmt: skip

    def _local_settings(self) -> str:
        """Suite names are checked identifiers and zones come from the zone database: no value of a user's."""
        zone = timezone_name(self._run.job)
        return f"SET LOCAL search_path = \"{self._run.job.suite}\", pg_catalog; SET LOCAL timezone = '{zone}'"

    def _check_cursor(self, text: str | None) -> None:
        if text is None:
            if not isinstance(self._run.job.trigger, Poll):  # whoever asked for it: its queue is its cursor
                raise CursorError(
                    "ctx.transaction(cursor=…) needs a cursor that moves; use ctx.completing() for the only transaction"
                )
        elif self._cursor is not None and text == to_json(self._cursor):
            raise CursorError(f"the cursor is still {text}: a batch must move it")
