"""Where the database is: our own PostgreSQL, or the one a URL names. One object for the daemon and the commands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Literal

from daemon.engine import Urls
from daemon.events import Event, Note
from daemon.settings import Settings

EMBEDDED = "embedded"


def external(settings: Settings) -> Urls | None:
    """The URLs of a database that is not ours, or None."""
    url = settings.database.url
    if url == EMBEDDED:
        return None
    return Urls(url, settings.database.direct_url or url)


@asynccontextmanager
async def opened(settings: Settings, emit: Callable[[Event], None]) -> AsyncIterator[Urls]:
    """For a command: the running daemon's database, or our own started as a guest and stopped again."""
    if (urls := external(settings)) is not None:
        yield urls
        return
    from daemon.embedded import open_database  # only where the database is ours

    async with open_database(settings.state_dir, on_event=lambda event: emit(described(event))) as url:
        yield Urls(url, url)


def described(event: object) -> Note:
    """An event of the embedded server, for the log."""
    return Note("DATABASE", str(event))


Role = Literal["daemon", "guest"]
