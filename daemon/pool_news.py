"""The pool's own events, as the daemon's."""

from __future__ import annotations

from daemon.events import Event, Note, WorkerExited, WorkerSaid
from daemon.pool_messages import WorkerExited as Exited
from daemon.pool_messages import WorkerStartFailed, WorkerStderr, ending


def translated(event: object) -> Event | None:
    """None for what is only of interest to the pool itself: a child that left because it was told to."""
    match event:
        case Exited() if event.reason == ending(event.exit_code) and event.exit_code:
            return WorkerExited(event.pid, event.reason, "")
        case WorkerStderr():
            return WorkerSaid(event.pid, event.task, event.line)
        case WorkerStartFailed():
            return Note("INGESTION", str(event), warning=True)
    return None
