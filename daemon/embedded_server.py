"""One incarnation of the server process: clear the ground, start it, see it become ready, watch it.

The postmaster reports its state in postmaster.pid, which costs nobody a connection; the process itself is
waited for.
"""

import asyncio
import time
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping
from pathlib import Path

from daemon import embedded_cluster as cluster
from daemon import embedded_process as processes
from daemon.embedded_cluster import Layout
from daemon.embedded_errors import ForeignServerError, ServerStartError
from daemon.embedded_events import EmbeddedEvent, OrphanFound, ServerStarting
from daemon.embedded_identity import Server
from daemon.embedded_lock import pauses

# A shutdown that somebody else began shows in postmaster.pid only, and one of the "smart" kind waits for our
# own connections to close; so we look now and then (0.03 % of a core).
_LOOK_SECONDS = 5.0
_LOG_CHECK_SECONDS = 60.0
_STARTING_SECONDS = 5.0
_ENDING_SECONDS = 2.0

OnEvent = Callable[[EmbeddedEvent], None]


async def clear_ground(layout: Layout, on_event: OnEvent) -> None:
    """See that no process of an earlier server is left, nor a pid file that keeps the next from starting.

    We hold the state directory's lock, so a postmaster of ours that runs has lost its owner: it is shut down.
    Raises ForeignServerError for a server that is not of our making.
    """
    orphans = await asyncio.to_thread(processes.postmasters, layout.marker)
    for pid in orphans:
        on_event(OrphanFound(pid))
    await asyncio.gather(*(processes.end(pid, processes.POSTMASTER_LADDER, on_event) for pid in orphans))
    await processes.end_children(layout.marker, on_event)
    await _clear_pid_file(layout)


async def _clear_pid_file(layout: Layout) -> None:
    """Remove a postmaster.pid whose pid belongs to another program by now, or to the dead whom nobody has reaped.

    PostgreSQL would take either for a living server; in containers, where pids are small and PID 1 may reap late
    or never, that is the rule.
    """
    path = layout.data / "postmaster.pid"
    try:
        pid = int(path.read_text().partition("\n")[0])
    except (FileNotFoundError, ValueError):
        return
    if not processes.arguments(pid):  # it is ending just now, it is a zombie, or it is hidden from us
        await processes.wait_exit(pid, _ENDING_SECONDS)
    if not processes.is_alive(pid):
        if processes.is_zombie(pid):
            path.unlink()
        return
    program = processes.arguments(pid)[:1]
    if not program:  # hidden: PostgreSQL shall judge
        return
    if Path(program[0]).name == "postgres" and _works_in(pid, layout.data):
        raise ForeignServerError(layout.data, pid)
    path.unlink()


def _works_in(pid: int, data: Path) -> bool:
    """Whether a postgres has `data` as its working directory; if we may not see, we believe the pid file."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == data
    except PermissionError:
        return True
    except FileNotFoundError:
        return False


async def spawn(layout: Layout, server: Server, socket_dir: Path, log: int, settings: Mapping[str, str]) -> Process:
    """Start the postmaster, its output going to the descriptor `log`; `settings` beat any other source."""
    fixed = {
        "cluster_name": layout.marker,
        "listen_addresses": "",
        "port": str(cluster.PORT),
        "unix_socket_directories": str(socket_dir),
    }
    options = [word for name, value in {**settings, **fixed}.items() for word in ("-c", f"{name}={value}")]
    return await asyncio.create_subprocess_exec(
        *server.command(server.binaries.postgres),
        *("-D", str(layout.data)),
        *options,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env=server.environment,
        cwd="/",
        start_new_session=True,
    )


async def until_ready(layout: Layout, process: Process, log_from: int, on_event: OnEvent) -> None:
    """Return when the server accepts connections, however long its recovery takes.

    Raises ServerStartError, with what the server logged since byte `log_from`, when it ends instead.
    """
    begun = time.monotonic()
    tell_at = begun + _STARTING_SECONDS
    ended = asyncio.ensure_future(process.wait())
    try:
        for pause in pauses():
            if _status(layout, process.pid) == "ready":
                return
            if ended.done():
                break
            await asyncio.wait({ended}, timeout=min(pause, 0.1))
            if time.monotonic() >= tell_at:
                tell_at += _STARTING_SECONDS
                on_event(ServerStarting(process.pid, time.monotonic() - begun))
    finally:
        ended.cancel()
    raise ServerStartError(
        f"PostgreSQL on {layout.data} ended with {process.returncode} before it was ready; "
        f"{layout.log} has the whole story:\n{cluster.log_tail(layout, log_from)}"
    )


async def until_leaving(layout: Layout, process: Process) -> None:
    """Return when the process has ended or has begun to shut down. Keeps the log bounded meanwhile."""
    trim_at = time.monotonic() + _LOG_CHECK_SECONDS
    ended = asyncio.ensure_future(process.wait())
    try:
        while not ended.done():
            await asyncio.wait({ended}, timeout=_LOOK_SECONDS)
            if not ended.done() and _status(layout, process.pid) == "stopping":
                return
            if time.monotonic() >= trim_at:
                trim_at += _LOG_CHECK_SECONDS
                await asyncio.to_thread(cluster.trim_log, layout)
    finally:
        ended.cancel()


async def end(process: Process, on_event: OnEvent) -> None:
    """Shut down the server: cleanly, else at once, else by force. Returns when it was reaped."""
    if process.returncode is None:
        await processes.end(process.pid, processes.POSTMASTER_LADDER, on_event)
    await process.wait()


def _status(layout: Layout, pid: int) -> str | None:
    """What the postmaster `pid` says of itself; None while it has not written, or another has."""
    found = cluster.read_pid_file(layout.data)
    return found.status if found is not None and found.pid == pid else None
