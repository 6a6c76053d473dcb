"""The composition root: settings in, running daemon out. The only place that knows every part by name."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from typing import Any, NoReturn, TypeVar

import anyio
import asyncpg

from daemon import migrate, node_status, start_checks, store
from daemon.catalogue import Catalogue
from daemon.database import connect
from daemon.direct_alarm import direct_alarm
from daemon.engine import Engine, Urls
from daemon.events import Announcer, Draining, Event, Migrated, Note, Started, Stopped
from daemon.jsonable import to_json
from daemon.loop_lag import LoopMonitor
from daemon.metrics import Metrics
from daemon.outlets import Outlets
from daemon.place import held_place
from daemon.pool import Pool
from daemon.pulse import Pulse
from daemon.settings import Settings
from daemon.start_checks import StartRefused
from daemon.systemd import Notifier
from daemon.version import VERSION

CLOSE_PATIENCE = 90.0  # bodies that will not end, workers, an embedded database's own shutdown (35 s at most)
WATCH_EVERY = 5.0
STATUS_EVERY = 1.0
STATUS_WITHIN = 0.2
WORKER_URL = "SEXTON_WORKER_DATABASE_URL"

THREAD_PATIENCE = 1.0
THREADS = "sexton thread"

T = TypeVar("T")
Reread = Callable[[], tuple[Settings, Catalogue]]


class Daemon:
    """One running node. `run` returns the exit status; `stop` may be called from a signal handler."""

    def __init__(self, settings: Settings, catalogue: Catalogue, emit: Announcer, reread: Reread) -> None:
        self.settings, self.catalogue, self.emit, self._reread = settings, catalogue, emit, reread
        self.metrics = Metrics(VERSION)
        emit.subscribe(self.metrics)
        self.notifier = Notifier()
        self.started = time.monotonic()
        self.ready = asyncio.Event()
        self._start = ExitStack()
        self.engine: Engine | None = None
        self.outlets: Outlets | None = None
        self.port: int | None = None
        self.urls: Urls | None = None
        self.failed = False
        self._news = Pulse()
        emit.subscribe(lambda _: self._news.beat())
        self._stopping = asyncio.Event()
        self._hurry = anyio.Event()
        self._threads = ThreadPoolExecutor(thread_name_prefix=THREADS)
        self._reason = "SIGTERM"

    @property
    def stopping(self) -> bool:
        """Whether it was told to leave."""
        return self._stopping.is_set()

    def stop(self, reason: str) -> None:
        """Drain and leave; a second call hurries."""
        if self.stopping:
            self._hurry.set()
        self._reason = reason
        self._stopping.set()

    def _take_signals(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.set_default_executor(self._threads)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop, signal.Signals(number).name)
        loop.add_signal_handler(signal.SIGHUP, lambda: loop.create_task(self._reload()))

    async def run(self) -> int:
        self._take_signals(asyncio.get_running_loop())
        async with AsyncExitStack() as stack:
            self._start = stack.enter_context(ExitStack())
            self._start.enter_context(self.notifier.unhurried())
            alarm = await stack.enter_async_context(direct_alarm(self.settings, self.emit, self._fault))
            try:
                urls = self.urls = await self._unless_stopped(stack.enter_async_context(self._database()))
                await self._unless_stopped(self._migrate(urls))
            except StoppedWaiting:
                self.emit(Stopped(0.0))
                return 0
            os.environ[WORKER_URL] = urls.url
            pool = Pool(
                self.settings.pool.size, max_tasks=self.settings.pool.max_tasks,
                max_rss_bytes=self.settings.pool.max_rss_mb << 20, on_event=self._pool_event,
            )  # fmt: skip
            await pool.start()
            stack.push_async_callback(pool.stop, 0.0)
            place = stack.enter_context(held_place(self.settings.state_dir))
            engine = self.engine = Engine(self.settings, self.catalogue, urls, pool, self.emit, place)
            await engine.start()
            stack.push_async_callback(engine.close)
            monitor = LoopMonitor(self.emit.beside(asyncio.get_running_loop()), engine.current_run)
            monitor.start()
            stack.callback(monitor.stop)
            own = self.outlets = Outlets(engine, monitor, self.emit, alarm)
            stack.push_async_callback(own.close)
            await own.open(self.metrics)
            self.port = own.port
            await self._serve(engine, monitor, own)
            began = time.monotonic()
        self.emit(Stopped(time.monotonic() - began))
        if not await self._all_over(engine):
            self.emit(
                Note("SCHEDULED", "bodies that would not end, or their threads, end with the process", warning=True)
            )
            leave_now(int(self.failed))
        return int(self.failed)

    async def _unless_stopped(self, work: Coroutine[Any, Any, T]) -> T:
        """What the work returns. Raises StoppedWaiting, with the work cancelled, when told to leave meanwhile."""
        working, stopping = asyncio.create_task(work), asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            working.cancel()
            await asyncio.wait({working})
        if working.cancelled():
            raise StoppedWaiting
        return working.result()

    def _fault(self) -> str | None:
        """Why we leave though nobody asked us to; an exception speaks for itself."""
        from daemon.embedded_keeper import SHUT_DOWN

        return f"stopped by {SHUT_DOWN}, from outside" if self._reason == SHUT_DOWN else None

    async def _all_over(self, engine: Engine) -> bool:
        """Whether closing the event loop would wait for nobody: no body goes on, and no thread of one."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        with anyio.move_on_after(THREAD_PATIENCE):
            while any(thread.name.startswith(THREADS) for thread in threading.enumerate()):  # noqa: ASYNC110
                await anyio.sleep(0.005)
            return not engine.executor.forsaken
        return False

    async def _serve(self, engine: Engine, monitor: LoopMonitor, outlets: Outlets) -> None:
        """Run until told to stop, then drain: what still runs may finish, then is interrupted at no cost."""
        async with anyio.create_task_group() as services:
            async with anyio.create_task_group() as runs:
                engine.serve(services, runs)
                outlets.serve(services)
                services.start_soon(self._watch, engine, monitor, name="watchdog")
                services.start_soon(self._publish, engine, monitor, name="status")
                await self._announce_ready(engine)
                await self._stopping.wait()
                await self._drain(engine, outlets)
                runs.cancel_scope.cancel()
            services.cancel_scope.cancel()

    async def _drain(self, engine: Engine, outlets: Outlets) -> None:
        patience = engine.settings.node.drain_timeout.total_seconds()
        engine.claiming = False  # first: who reads the news and asks /readyz must hear the same
        self.emit(Draining(self._reason, len(engine.executor.active)))
        self.notifier.stopping(node_status.sentence(engine))
        self.notifier.extend(patience + CLOSE_PATIENCE)
        await outlets.drain()
        if not await engine.drain(patience, self._hurry):
            await engine.interrupt(f"stopped by {self._reason}")

    async def _announce_ready(self, engine: Engine) -> None:
        self.metrics.introduce(engine.roster.jobs, self.catalogue.queues, [*engine.services, *engine.post.services])
        self.metrics.introduce_channels(engine.post.deliverers)
        for warning in self.catalogue.warnings:
            self.emit(Note("SCHEDULED", warning, warning=True))
        took = time.monotonic() - self.started
        self.emit(Started(VERSION, engine.lease.name, len(engine.roster.jobs), took))
        self._start.close()
        self.notifier.ready(node_status.sentence(engine))
        self.ready.set()

    async def _watch(self, engine: Engine, monitor: LoopMonitor) -> None:
        """Feed systemd's watchdog on evidence of progress only, and keep its status line true."""
        from daemon.health import unwell

        every = min(WATCH_EVERY, (self.notifier.watchdog_seconds or 3 * WATCH_EVERY) / 3)
        while True:
            engine.pool_alive = await engine.pool.ping()
            self.notifier.status(node_status.sentence(engine))
            if not unwell(node_status.evidence(engine, monitor)):
                self.notifier.watchdog()
            await anyio.sleep(every)

    async def _publish(self, engine: Engine, monitor: LoopMonitor) -> None:
        """The status row: each second while something runs, otherwise at news and with the lease."""
        from daemon.database import DatabaseDown

        last, kept_at = "", 0.0
        while True:
            status = node_status.snapshot(engine, monitor, self.started)
            busy = bool(status["running"])
            shape = to_json({k: v for k, v in status.items() if k not in ("uptime_s", "loop_lag_ms")})
            every = engine.lease.lease / 3
            if busy or shape != last or time.monotonic() - kept_at >= every:
                try:
                    await engine.lease.publish(to_json(status))
                    last, kept_at = shape, time.monotonic()
                except DatabaseDown:
                    await engine.outage.over()
                    continue
            if not busy:
                await self._news.wait(every)
            await anyio.sleep(STATUS_EVERY if busy else STATUS_WITHIN)

    @asynccontextmanager
    async def _database(self) -> AsyncIterator[Urls]:
        """The URL of an external server, or our own server, watched and restarted for as long as we run."""
        if (urls := store.external(self.settings)) is not None:
            await self._until_it_answers(urls)
            yield urls
            return
        from daemon.embedded_keeper import kept

        async with kept(self.settings, self.emit, self.stop) as url:
            yield Urls(url, url)

    async def _until_it_answers(self, urls: Urls) -> None:
        """An external database may still be starting: ask until it answers, and say so."""
        pause = 0.1
        while True:
            try:
                connection = await connect(urls.direct, "sexton start", statement_cache=0)
            except (
                OSError,
                TimeoutError,
                asyncpg.PostgresConnectionError,
                asyncpg.CannotConnectNowError,
            ) as error:
                self.notifier.status(f"waiting for the database: {error}")
                self.emit(Note("DATABASE", f"does not answer yet: {store.place(urls.direct)}: {error}", warning=True))
                await anyio.sleep(pause)
                pause = min(pause * 2, 5.0)
            else:
                await connection.close()
                return

    async def _migrate(self, urls: Urls) -> None:
        connection = await connect(urls.direct, "sexton migrate", statement_cache=0, command_timeout=None)
        try:
            wanted = [*migrate.engine_migrations(), *migrate.suite_migrations(self.catalogue.packages)]
            applied = await migrate.migrate(connection, wanted)
            if applied:
                self.emit(Migrated(tuple(str(m) for m in applied)))
            if wrong := await start_checks.problems(connection, self.catalogue.packages):
                raise StartRefused(wrong)
        finally:
            await connection.close()

    async def _reload(self) -> None:
        from daemon.reload import reload

        if self.engine is None or self.stopping:
            return
        self.notifier.reloading()
        try:
            await reload(self.engine, self._reread, self.emit)
        finally:  # until it is told so, systemd takes the reload for unfinished
            self.notifier.ready(node_status.sentence(self.engine))

    def _pool_event(self, event: object) -> None:
        from daemon.pool_news import translated

        said: Event | None = translated(event)
        if said is not None:
            self.emit(said)


class StoppedWaiting(Exception):
    """Told to leave before the database answered and its schema was migrated: there is nothing to drain."""


def leave_now(status: int) -> NoReturn:
    """Exit without waiting for what will not end. Everything of ours has been closed before."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
