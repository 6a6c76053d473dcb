"""The embedded PostgreSQL as the rest of the daemon sees it; each duty is in a file of its own.

embedded_postgres   start, stop, watch, restart: what the daemon uses
embedded_guest      attach, open_database: what commands use
embedded_binaries, _identity, _cluster, _initdb, _lock, _process, _server   what those two are made of
"""

from daemon.embedded_errors import (
    BinariesError,
    ClusterCreationError,
    EmbeddedError,
    ForeignServerError,
    OtherMajorError,
    ServerStartError,
    ServerStoppedError,
    StateDirectoryError,
    StateDirectoryHeldError,
)
from daemon.embedded_events import EmbeddedEvent, ExitKind
from daemon.embedded_guest import attach, open_database
from daemon.embedded_lock import Role
from daemon.embedded_postgres import EmbeddedPostgres

__all__ = [
    "BinariesError",
    "ClusterCreationError",
    "EmbeddedError",
    "EmbeddedEvent",
    "EmbeddedPostgres",
    "ExitKind",
    "ForeignServerError",
    "OtherMajorError",
    "Role",
    "ServerStartError",
    "ServerStoppedError",
    "StateDirectoryError",
    "StateDirectoryHeldError",
    "attach",
    "open_database",
]
