"""SIGHUP: read the settings again. What can change while running does; the rest is named, and waits for a restart."""

from __future__ import annotations

from collections.abc import Callable

from daemon.catalogue import Catalogue
from daemon.config import ConfigError
from daemon.engine import Engine
from daemon.events import Event, Note, Reloaded, ReloadRefused
from daemon.settings import Settings

NEEDS_RESTART = ("suites", "database", "pool", "metrics", "admin", "queues", "log", "backup", "suite")
NODE_NEEDS_RESTART = ("name", "lease")


async def reload(
    engine: Engine, reread: Callable[[], tuple[Settings, Catalogue]], emit: Callable[[Event], None]
) -> None:
    """Adopt new job settings at once; a configuration with errors changes nothing."""
    try:
        settings, catalogue = reread()
    except ConfigError as error:
        emit(ReloadRefused(tuple(error.problems)))
        return
    for key in _waiting_for_a_restart(engine.settings, settings):
        emit(Note("SCHEDULED", f"{key}: takes effect at the next restart", warning=True))
    changed = tuple(name for name, job in catalogue.jobs.items() if engine.roster.catalogue.jobs.get(name) != job)
    engine.roster.adopt(catalogue)
    engine.slots.runs = settings.node.slots
    node = engine.settings.node.model_copy(
        update={name: getattr(settings.node, name) for name in ("slots", "drain_timeout", "jobs_enabled")}
    )
    engine.settings = engine.settings.model_copy(update={"node": node, "jobs": settings.jobs})
    engine.ticker.forget()
    engine.wake("ticker", "dispatcher")
    emit(Reloaded(changed))


def _waiting_for_a_restart(old: Settings, new: Settings) -> list[str]:
    """What was changed and cannot be adopted while running, by key."""
    sections = [name for name in NEEDS_RESTART if getattr(old, name) != getattr(new, name)]
    return sections + [f"node.{k}" for k in NODE_NEEDS_RESTART if getattr(old.node, k) != getattr(new.node, k)]
