"""SIGHUP: read the settings again. What can change while running does; the rest is named, and waits for a restart."""

from __future__ import annotations

from collections.abc import Callable

from daemon.catalogue import Catalogue
from daemon.config import ConfigError
from daemon.engine import Engine
from daemon.events import Event, Note, Reloaded, ReloadRefused
from daemon.settings import Settings

NEEDS_RESTART = ("suites", "database", "pool", "metrics", "queues")


async def reload(
    engine: Engine, reread: Callable[[], tuple[Settings, Catalogue]], emit: Callable[[Event], None]
) -> None:
    """Adopt new job settings at once; a configuration with errors changes nothing."""
    try:
        settings, catalogue = reread()
    except ConfigError as error:
        emit(ReloadRefused(tuple(error.problems)))
        return
    for section in NEEDS_RESTART:
        if getattr(settings, section) != getattr(engine.settings, section):
            emit(Note("SCHEDULED", f"{section}: takes effect at the next restart", warning=True))
    changed = tuple(name for name, job in catalogue.jobs.items() if engine.roster.catalogue.jobs.get(name) != job)
    engine.roster.adopt(catalogue)
    engine.slots.runs = settings.node.slots
    engine.ticker.forget()
    engine.wake("ticker", "dispatcher")
    emit(Reloaded(changed))
