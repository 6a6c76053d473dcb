"""Our own PostgreSQL for as long as the daemon runs: started, watched, restarted after a crash, stopped last."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from daemon.embedded import EmbeddedEvent, EmbeddedPostgres, ExitKind
from daemon.embedded_words import words
from daemon.events import Event, Note
from daemon.settings import Settings

SHUT_DOWN = "the database's shutdown"
FAST_AND_LOOSE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@asynccontextmanager
async def kept(settings: Settings, emit: Callable[[Event], None], stop: Callable[[str], None]) -> AsyncIterator[str]:
    """Yields the URL. A shutdown from outside is answered by finishing and leaving (`stop`)."""

    def heard(event: EmbeddedEvent) -> None:
        if said := words(event):
            emit(said)

    server = EmbeddedPostgres(
        settings.state_dir, settings={} if settings.database.fsync else FAST_AND_LOOSE, on_event=heard
    )
    url = await server.start("daemon")
    watcher = asyncio.create_task(_watch(server, emit, stop), name="embedded database")
    try:
        yield url
    finally:
        watcher.cancel()
        await asyncio.gather(watcher, return_exceptions=True)
        await server.stop()


async def _watch(server: EmbeddedPostgres, emit: Callable[[Event], None], stop: Callable[[str], None]) -> None:
    while True:
        if await server.wait_closed() is ExitKind.SHUTDOWN:
            emit(Note("DATABASE", "the database was shut down from outside; finishing and leaving", warning=True))
            stop(SHUT_DOWN)
            return
        emit(Note("DATABASE", "the embedded database crashed; restarting it", warning=True))
        await server.restart_after_crash()
