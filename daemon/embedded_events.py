"""What the embedded PostgreSQL tells its owner, as values. Wording them is the log's business."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class ExitKind(StrEnum):
    """How the server process ended."""

    CRASHED = "crashed"  # kill -9, out of memory, a non-zero exit: restart_after_crash() is the answer
    SHUTDOWN = "shutdown"  # somebody else asked it to leave: the daemon finishes and leaves too
    STOPPED = "stopped"  # our own stop()


@dataclass(frozen=True, slots=True)
class ClusterCreating:
    """The first start: initdb begins. `path` is the future data directory, `version` as in "17.10"."""

    path: Path
    version: str


@dataclass(frozen=True, slots=True)
class ClusterStep:
    """One line of initdb, as "running bootstrap script"; about twelve, in under two seconds."""

    text: str


@dataclass(frozen=True, slots=True)
class ClusterCreated:
    """The cluster is complete and in place after `seconds`."""

    path: Path
    seconds: float


@dataclass(frozen=True, slots=True)
class WaitingForHolder:
    """Another process holds the state directory and is waited for. `pid` is None when unknown."""

    pid: int | None
    role: str


@dataclass(frozen=True, slots=True)
class WaitingForGuests:
    """A guest wants to stop its server, but other commands still use it."""


@dataclass(frozen=True, slots=True)
class OrphanFound:
    """A server of ours outlived its owner; it is stopped, then started anew under us."""

    pid: int


@dataclass(frozen=True, slots=True)
class ServerStarting:
    """Still not accepting connections after `seconds` (crash recovery); repeated every 5 s."""

    pid: int
    seconds: float


@dataclass(frozen=True, slots=True)
class ServerReady:
    """The server accepts connections. `runs_as` says how: "self", "namespace", "owner" or "nobody"."""

    pid: int
    version: str
    seconds: float
    runs_as: str


@dataclass(frozen=True, slots=True)
class StopEscalated:
    """`pid` did not end in time and was sent `signal`, as in "SIGQUIT"."""

    pid: int
    signal: str


@dataclass(frozen=True, slots=True)
class ServerLeaving:
    """Somebody else asked the server to shut down: it takes no new connections and ends with the last one."""

    pid: int


@dataclass(frozen=True, slots=True)
class ServerExited:
    """The server process ended. `code` as asyncio reports it: negative is minus a signal."""

    pid: int
    kind: ExitKind
    code: int


@dataclass(frozen=True, slots=True)
class RestartFailed:
    """A start after a crash failed with `error`; the next try comes in `retry_in` seconds."""

    error: str
    retry_in: float


EmbeddedEvent = (
    ClusterCreating
    | ClusterStep
    | ClusterCreated
    | WaitingForHolder
    | WaitingForGuests
    | OrphanFound
    | ServerStarting
    | ServerReady
    | StopEscalated
    | ServerLeaving
    | ServerExited
    | RestartFailed
)
