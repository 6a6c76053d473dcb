"""PURE: one sentence for each thing the embedded PostgreSQL tells; None for what is not worth a line."""

from __future__ import annotations

from daemon import embedded_events as e
from daemon.events import Note

AREA = "DATABASE"


def words(event: e.EmbeddedEvent) -> Note | None:
    """What to say of an event, for people."""
    return _of_a_start(event) or _of_trouble(event)


def _of_a_start(event: e.EmbeddedEvent) -> Note | None:
    match event:
        case e.ClusterCreating(path=path, version=version):
            return Note(AREA, f"first start: creating a PostgreSQL {version} cluster in {path}")
        case e.ClusterCreated(seconds=seconds):
            return Note(AREA, f"cluster created in {seconds:.1f} s")
        case e.ServerReady(version=version, seconds=seconds, pid=pid):
            return Note(AREA, f"PostgreSQL {version} accepts connections after {seconds:.2f} s, process {pid}")
        case e.ServerStarting(seconds=seconds):
            return Note(AREA, f"PostgreSQL is starting for {seconds:.0f} s now: it recovers what a crash left")
        case e.WaitingForHolder(pid=pid, role=role):
            return Note(AREA, f"waiting for the {role} that holds the state directory, process {pid or 'unknown'}")
        case e.WaitingForGuests():
            return Note(AREA, "waiting for other commands to finish with the database")
    return None


def _of_trouble(event: e.EmbeddedEvent) -> Note | None:
    match event:
        case e.OrphanFound(pid=pid):
            return Note(AREA, f"a server of ours outlived its daemon: process {pid} is stopped first", warning=True)
        case e.StopEscalated(pid=pid, signal=signal):
            return Note(AREA, f"PostgreSQL {pid} did not stop in time and was sent {signal}", warning=True)
        case e.ServerLeaving(pid=pid):
            return Note(AREA, f"PostgreSQL {pid} was asked from outside to shut down", warning=True)
        case e.ServerExited(pid=pid, kind=e.ExitKind.CRASHED, code=code):
            return Note(AREA, f"PostgreSQL {pid} crashed (status {code})", warning=True)
        case e.RestartFailed(error=error, retry_in=retry_in):
            return Note(AREA, f"PostgreSQL does not start: {error}; next try in {retry_in:.1f} s", warning=True)
    return None
