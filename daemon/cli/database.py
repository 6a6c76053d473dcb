"""The database for a command: the running daemon's, an external one, or our own started as a guest."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from daemon import store
from daemon.cli.common import CommandFailed
from daemon.cli.output import note
from daemon.database import connect, means_lost
from daemon.engine import Urls
from daemon.settings import Settings

PATIENCE = 30.0
GLANCE = 5.0
"""Seconds to wait for a database that is just starting or stopping: for commands that act, and that only look."""


class NoDatabase(CommandFailed):
    """There is no database, or it does not answer; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Opened:
    """`ours`: the embedded server runs for this command alone, so no daemon can be using it."""

    urls: Urls
    ours: bool
    embedded: bool


@asynccontextmanager
async def opened(settings: Settings, *, create: bool = False, patience: float = PATIENCE) -> AsyncIterator[Opened]:
    """Where the database is. Only with `create` is an embedded one made that does not exist yet.

    Raises `NoDatabase` and `EmbeddedError`.
    """
    if (urls := store.external(settings)) is not None:
        yield Opened(urls, ours=False, embedded=False)
        return
    from daemon.embedded import attach, open_database  # only where the database is ours
    from daemon.embedded_keeper import FAST_AND_LOOSE

    if not create and not any(settings.state_dir.glob("postgres-*/data/PG_VERSION")):
        raise NoDatabase(
            f"there is no database in {settings.state_dir} yet: `sexton run` or `sexton migrate` creates it"
        )
    options = {} if settings.database.fsync else FAST_AND_LOOSE
    async with open_database(settings.state_dir, settings=options, on_event=_tell, patience=patience) as url:
        yield Opened(Urls(url, url), ours=await attach(settings.state_dir) is None, embedded=True)


@asynccontextmanager
async def connected(
    settings: Settings, *, create: bool = False, patience: float = PATIENCE, command_timeout: float | None = 60.0
) -> AsyncIterator[tuple[asyncpg.Connection, Opened]]:
    """A connection that bypasses a transaction pooler. Raises `NoDatabase` and `EmbeddedError`."""
    async with opened(settings, create=create, patience=patience) as place:
        connection = await reach(place.urls, command_timeout=command_timeout)
        try:
            yield connection, place
        finally:
            await hang_up(connection)


async def reach(urls: Urls, *, command_timeout: float | None = 60.0) -> asyncpg.Connection:
    """Raises `NoDatabase` when nobody answers; a refused login is asyncpg's own error."""
    try:
        return await connect(urls.direct, "sexton command", statement_cache=0, command_timeout=command_timeout)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        if not means_lost(error):
            raise
        why = str(error) or type(error).__name__
        raise NoDatabase(f"the database does not answer: {store.place(urls.direct)}: {why}") from error


async def hang_up(connection: asyncpg.Connection) -> None:
    """Close within a second, or without asking: the answer is already out."""
    try:
        await connection.close(timeout=1)
    except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        connection.terminate()


def _tell(event: object) -> None:
    """Of the embedded server's events, the two that make a person wait."""
    from daemon.embedded_events import ClusterCreating, WaitingForHolder

    if isinstance(event, ClusterCreating):
        note(f"creating the database in {event.path} (a few seconds, once)")
    elif isinstance(event, WaitingForHolder):
        who = f"process {event.pid}" if event.pid is not None else "another process"
        note(f"waiting for {who} ({event.role}), which is starting or stopping the database")
