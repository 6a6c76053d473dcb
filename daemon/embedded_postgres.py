"""Our own PostgreSQL: one server process for one state directory, whose life is bounded by ours.

    server = EmbeddedPostgres(state_dir)
    url = await server.start("daemon")
    kind = await server.wait_closed()      # then restart_after_crash(), or finish and leave
    await server.stop()

Start it from a thread that lives as long as the server shall: the kernel sends it a clean shutdown when the
*thread* that started it ends, kill -9 included. It is a session of its own, so Ctrl-C in a terminal reaches
only us.
"""

import asyncio
import os
import time
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from daemon import embedded_binaries as binaries
from daemon import embedded_cluster as cluster
from daemon import embedded_identity as identity
from daemon import embedded_initdb as initdb
from daemon import embedded_process as processes
from daemon import embedded_server as process_life
from daemon.embedded_cluster import Layout
from daemon.embedded_errors import (
    EmbeddedError,
    ServerStartError,
    ServerStoppedError,
    StateDirectoryError,
)
from daemon.embedded_events import (
    EmbeddedEvent,
    ExitKind,
    RestartFailed,
    ServerExited,
    ServerLeaving,
    ServerReady,
)
from daemon.embedded_identity import Server
from daemon.embedded_lock import Role, StateLock
from daemon.uninterrupted import to_the_end

NO_SETTINGS: Mapping[str, str] = MappingProxyType({})
_FIRST_BACKOFF, _LONGEST_BACKOFF = 0.1, 30.0  # seconds between starts after crashes
_STEADY_SECONDS = 60.0  # a server that lived this long has its earlier crashes forgiven
# Shared memory outlives the last process by a moment, and a backend may be hidden from us.
_SHARED_MEMORY, _SHARED_MEMORY_TRIES, _SHARED_MEMORY_PAUSE = "pre-existing shared memory block", 20, 0.5


@dataclass(frozen=True, slots=True)
class _Place:
    """What start() found out and restarts use again."""

    layout: Layout
    server: Server
    socket_dir: Path


class EmbeddedPostgres:
    """The server of `state_dir`.

    `settings` are extra configuration (name → value) that beats every other source.

    `bindir` names PostgreSQL's programs (else see embedded_binaries.find). `on_event` is called in the loop;
    it must be quick and must not raise.
    """

    def __init__(
        self,
        state_dir: Path,
        *,
        bindir: Path | None = None,
        settings: Mapping[str, str] = NO_SETTINGS,
        on_event: Callable[[EmbeddedEvent], None] | None = None,
    ) -> None:
        self._state_dir = state_dir.resolve()
        self._bindir = bindir
        self._settings = dict(settings)
        self._emit: Callable[[EmbeddedEvent], None] = on_event or (lambda _event: None)
        self._lock = StateLock(self._state_dir)
        self._role: Role = "daemon"
        self._place: _Place | None = None
        self._process: Process | None = None
        self._spawning = asyncio.Lock()  # stop() must see the process that is being started, or prevent it
        self._stopping = asyncio.Event()
        self._ready_at = 0.0
        self._crashes = 0

    @property
    def url(self) -> str:
        """postgresql://… for asyncpg and psql; the same over restarts. Before start(): RuntimeError."""
        return cluster.url_of(str(self._started.socket_dir))

    @property
    def version(self) -> str:
        """The server's version, as in "17.10". Before start(): RuntimeError."""
        return self._started.server.version

    @property
    def pid(self) -> int:
        """The postmaster's process id, the last one when it has ended. Before start(): RuntimeError."""
        return self._running.pid

    async def start(self, role: Role) -> str:
        """Start the server, creating the cluster the first time, and return its URL.

        A "daemon" waits for a guest to leave. Raises StateDirectoryHeldError (with the holder's pid) for any
        other holder, OtherMajorError, BinariesError, StateDirectoryError, ClusterCreationError,
        ServerStartError or ForeignServerError; after an error or a cancellation nothing runs and the lock is
        free.
        """
        if self._process is not None or self._stopping.is_set():
            raise RuntimeError("an EmbeddedPostgres is started once; make a new one")
        self._role = role
        await asyncio.to_thread(_make_state_directory, self._state_dir)
        await self._lock.acquire(role, self._emit)
        try:
            self._place = await self._prepare()
            await self._launch()
        except BaseException:
            await to_the_end(self._end())
            raise
        return self.url

    async def stop(self) -> None:
        """Shut the server down and free the state directory. Idempotent; under 0.3 s when idle.

        A guest first waits for other commands that use its server. If that is cancelled, the server is
        stopped nevertheless; the shutdown itself (at most 35 s, see POSTMASTER_LADDER) cannot be cancelled.
        """
        running = self._process is not None and self._process.returncode is None
        try:
            if self._role == "guest" and running and not self._stopping.is_set():
                await self._lock.leave(self._emit)
        finally:
            await to_the_end(self._end())

    async def wait_closed(self) -> ExitKind:
        """Return when the server ended or began to end, and how; STOPPED after our own stop().

        SHUTDOWN comes within five seconds of the request, when the server may still be waiting for *our*
        connections to close: finish, then stop(). CRASHED: restart_after_crash().
        """
        process, layout = self._running, self._started.layout
        await process_life.until_leaving(layout, process)
        if self._stopping.is_set():
            await process.wait()
            kind = ExitKind.STOPPED
        elif process.returncode is None:
            kind = ExitKind.SHUTDOWN
            self._emit(ServerLeaving(process.pid))
        elif process.returncode == 0:
            kind = ExitKind.SHUTDOWN
        else:
            kind = ExitKind.CRASHED
        if process.returncode is not None:
            self._emit(ServerExited(process.pid, kind, process.returncode))
        return kind

    async def restart_after_crash(self) -> None:
        """Return when the server accepts connections again. At once the first time, then backing off to 30 s.

        Tries for ever, telling each failure as RestartFailed: a full disk is emptied by a person.
        ServerStoppedError when stop() is called meanwhile.
        """
        if time.monotonic() - self._ready_at > _STEADY_SECONDS:
            self._crashes = 0
        pause = _backoff(self._crashes)
        while True:
            self._crashes += 1
            await asyncio.sleep(pause)
            try:
                await self._launch()
            except ServerStoppedError:
                raise
            except (EmbeddedError, OSError) as error:
                pause = _backoff(self._crashes)
                self._emit(RestartFailed(str(error), pause))
            else:
                return

    async def _prepare(self) -> _Place:
        """Everything up to a complete cluster on disk; done once."""
        found = await asyncio.to_thread(binaries.find, self._bindir, self._state_dir / "binaries")
        server = await identity.choose(found, self._state_dir)
        layout = Layout(self._state_dir, server.major)
        await asyncio.to_thread(identity.open_path, server.identity, self._state_dir)
        await asyncio.to_thread(cluster.prepare_home, layout, server.identity)
        await asyncio.to_thread(initdb.refuse_other_major, layout, server)
        await process_life.clear_ground(layout, self._emit)
        if not (layout.data / "PG_VERSION").exists():
            await initdb.create(layout, server, self._settings, self._emit)
        return _Place(layout, server, cluster.socket_directory(layout, server.identity))

    async def _launch(self) -> None:
        """Start the postmaster and wait until it is ready, or leave no process behind."""
        for tries_left in reversed(range(_SHARED_MEMORY_TRIES)):
            try:
                await self._launch_once()
            except ServerStartError as error:
                if _SHARED_MEMORY not in str(error) or not tries_left:
                    raise
                await asyncio.sleep(_SHARED_MEMORY_PAUSE)
            else:
                return

    async def _launch_once(self) -> None:
        place, begun = self._started, time.monotonic()
        await process_life.clear_ground(place.layout, self._emit)
        cluster.socket_directory(place.layout, place.server.identity)
        cluster.write_configuration(place.layout, place.server.identity)
        log, log_from = cluster.open_log(place.layout, place.server.identity)
        try:
            async with self._spawning:
                if self._stopping.is_set():
                    raise ServerStoppedError("stop() was called while the database was being started")
                process = await process_life.spawn(place.layout, place.server, place.socket_dir, log, self._settings)
                self._process = process
        finally:
            os.close(log)
        try:
            await process_life.until_ready(place.layout, process, log_from, self._emit)
        except BaseException as error:
            await to_the_end(process_life.end(process, self._emit))
            if self._stopping.is_set() and isinstance(error, ServerStartError):
                raise ServerStoppedError("stop() was called while the database was being started") from error
            raise
        self._ready_at = time.monotonic()
        self._emit(
            ServerReady(process.pid, place.server.version, self._ready_at - begun, place.server.identity.runs_as)
        )

    async def _end(self) -> None:
        """End whatever runs, then free the lock; bounded."""
        self._stopping.set()
        try:
            async with self._spawning:
                process = self._process
            if process is not None and self._place is not None:
                await process_life.end(process, self._emit)
                if process.returncode != 0:
                    await processes.end_children(self._place.layout.marker, self._emit)
                cluster.leave_socket_directory(self._place.layout, self._place.socket_dir)
        finally:
            self._lock.release()

    @property
    def _started(self) -> _Place:
        if self._place is None:
            raise RuntimeError("the embedded PostgreSQL has not been started")
        return self._place

    @property
    def _running(self) -> Process:
        if self._process is None:
            raise RuntimeError("the embedded PostgreSQL has not been started")
        return self._process


def _backoff(crashes: int) -> float:
    """Seconds before the next start: 0 for the first crash, then 0.1 doubling to 30."""
    return 0.0 if crashes == 0 else min(_FIRST_BACKOFF * 2 ** min(crashes - 1, 20), _LONGEST_BACKOFF)


def _make_state_directory(state_dir: Path) -> None:
    try:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StateDirectoryError(
            f"the state directory {state_dir} cannot be made: {error.strerror}; create it, owned by the user "
            f"who runs Sexton, or set database.state_dir to one that may be written"
        ) from error
