"""The database for a command: a daemon's, another command's, or one of its own for as long as it runs."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

from daemon import embedded_cluster as cluster
from daemon import embedded_process as processes
from daemon.embedded_cluster import Layout
from daemon.embedded_errors import StateDirectoryHeldError
from daemon.embedded_events import EmbeddedEvent, WaitingForHolder
from daemon.embedded_lock import Role, joined_guests, pauses, read_holder
from daemon.embedded_postgres import NO_SETTINGS, EmbeddedPostgres

_PATIENCE_SECONDS = 60.0


async def attach(state_dir: Path) -> str | None:
    """The URL of the server that a daemon runs for this directory, if it accepts connections now.

    Raises StateDirectoryError when the directory belongs to somebody else.
    """
    return _url_of_holder(state_dir, "daemon")


@contextlib.asynccontextmanager
async def open_database(
    state_dir: Path,
    *,
    bindir: Path | None = None,
    settings: Mapping[str, str] = NO_SETTINGS,
    on_event: Callable[[EmbeddedEvent], None] | None = None,
    patience: float = _PATIENCE_SECONDS,
) -> AsyncIterator[str]:
    """The database's URL, for a command: a daemon's, another command's, or one started here as a guest.

    A guest's server is stopped at the end, after the commands that joined it meanwhile. Waits at most
    `patience` seconds for a holder that is just starting or stopping, then raises its
    StateDirectoryHeldError.
    """
    async with contextlib.AsyncExitStack() as stack:
        server = EmbeddedPostgres(state_dir, bindir=bindir, settings=settings, on_event=on_event)
        yield await _attach_join_or_start(stack, state_dir, server, on_event or (lambda _event: None), patience)


async def _attach_join_or_start(
    stack: contextlib.AsyncExitStack,
    state_dir: Path,
    server: EmbeddedPostgres,
    emit: Callable[[EmbeddedEvent], None],
    patience: float,
) -> str:
    deadline, told = time.monotonic() + patience, False
    for pause in pauses():
        if (url := await attach(state_dir) or _join(stack, state_dir)) is not None:
            return url
        try:
            url = await server.start("guest")
        except StateDirectoryHeldError as held:
            if time.monotonic() >= deadline:
                raise
            if not told:
                emit(WaitingForHolder(held.pid, held.role))
                told = True
        else:
            stack.push_async_callback(server.stop)
            return url
        await asyncio.sleep(pause)
    raise AssertionError("pauses() never ends")


def _join(stack: contextlib.AsyncExitStack, state_dir: Path) -> str | None:
    """Sit down beside a guest's server for as long as `stack` lives; the seat is taken before the look."""
    if read_holder(state_dir) is None:
        return None
    with contextlib.ExitStack() as seat:
        if seat.enter_context(joined_guests(state_dir)) and (url := _url_of_holder(state_dir, "guest")):
            stack.push(seat.pop_all())
            return url
    return None


def _url_of_holder(state_dir: Path, role: Role) -> str | None:
    holder = read_holder(state_dir)
    if holder is None or holder.role != role or holder.leaving:
        return None
    for home in state_dir.resolve().glob("postgres-*"):
        layout = Layout(home.parent, int(home.name.rpartition("-")[2]))
        server = cluster.read_pid_file(layout.data)
        if server is None or server.status != "ready":
            continue
        if f"cluster_name={layout.marker}" in processes.arguments(server.pid):  # and not a pid used again
            return cluster.url_of(server.socket_dir)
    return None
