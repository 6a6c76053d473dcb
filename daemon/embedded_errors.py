"""What can go wrong with the embedded PostgreSQL. Each message names the place, the value and the remedy."""

import shlex
from collections.abc import Sequence
from pathlib import Path


class EmbeddedError(RuntimeError):
    """Base of all errors of the embedded PostgreSQL; `str()` is written for the operator."""


class BinariesError(EmbeddedError):
    """No PostgreSQL programs were found, or those found cannot be executed here."""


class StateDirectoryError(EmbeddedError):
    """A file or directory has the wrong owner, mode or content for us to use it."""


class StateDirectoryHeldError(EmbeddedError):
    """Another process runs this directory's database.

    `pid` is None when the holder could not be identified (it lives in another container, say);
    `role` is "daemon", "guest" or "unknown".
    """

    def __init__(self, state_dir: Path, pid: int | None, role: str) -> None:
        self.state_dir, self.pid, self.role = state_dir, pid, role
        who = f"process {pid} ({role})" if pid is not None else "another process, perhaps in another container,"
        stop = f"stop it first (kill -TERM {pid})" if pid is not None else "stop it first"
        super().__init__(
            f"the state directory {state_dir} is in use: {who} holds {state_dir / 'lock'}; "
            f"{stop}, or give this one a state directory of its own"
        )


class OtherMajorError(EmbeddedError):
    """The data belongs to another major version of PostgreSQL; we never start an empty cluster beside it.

    `command` is the argv of a shell that upgrades it.
    """

    def __init__(self, found_data: Path, found: str, wanted: int, command: Sequence[str]) -> None:
        self.found_data, self.found, self.wanted, self.command = found_data, found, wanted, tuple(command)
        super().__init__(
            f"{found_data} holds a PostgreSQL {found} cluster and these programs are PostgreSQL {wanted}. "
            f"To go on with {found}, set SEXTON_PG_BINDIR to its bin directory. To upgrade, back it up, "
            f"set OLD_BINDIR to PostgreSQL {found}'s bin directory and run:\n  {shlex.join(command)}"
        )


class ForeignServerError(EmbeddedError):
    """A PostgreSQL that Sexton did not start is running on our data directory."""

    def __init__(self, data: Path, pid: int) -> None:
        self.data, self.pid = data, pid
        super().__init__(
            f"process {pid} is a PostgreSQL server on {data} that Sexton did not start; "
            f"whoever started it must stop it first: pg_ctl -D {shlex.quote(str(data))} stop -m fast"
        )


class ClusterCreationError(EmbeddedError):
    """initdb, or creating our database in the new cluster, failed. Nothing of it is left behind."""


class ServerStartError(EmbeddedError):
    """The server ended before it accepted connections; the message ends with its last log lines."""


class ServerStoppedError(EmbeddedError):
    """`stop()` was called while the server was being started."""
