"""The files of one cluster: where they are, how they are configured and read.

<state>/lock, guests            see embedded_lock
<state>/postgres-17/data        the cluster; its major is in the path, because data of two majors never mix
<state>/postgres-17/run         the socket (elsewhere when the path is too long for one)
<state>/postgres-17/server.log  what the server says; its predecessor is server.log.1
"""

import contextlib
import hashlib
import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from daemon.embedded_errors import StateDirectoryError
from daemon.embedded_identity import Identity

NAME = "sexton"  # the superuser and the database
PORT = 5432  # part of the socket's file name; no network port is opened
_LOG_BYTES = 4 << 20
_SOCKET_PATH_BYTES = 107  # sun_path is 108 with its final NUL

# Defaults of a small server. They are in a file and not on the command line so that ALTER SYSTEM beats them.
_SETTINGS = {
    "shared_buffers": "128MB",
    "max_connections": "100",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "dynamic_shared_memory_type": "posix",
    "unix_socket_permissions": "0700",
    "max_logical_replication_workers": "0",  # saves an idle process
    "bgwriter_delay": "1s",  # five times rarer and as much each time: half of an idle server's wake-ups
    "bgwriter_lru_maxpages": "500",
    "wal_writer_delay": "1s",  # only commits that do not wait for the disk wait for it
    "jit": "off",  # our statements are short
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_destination": "stderr",
    "logging_collector": "off",  # stderr is server.log already
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] %a ",
    "lc_messages": "C",
    "default_text_search_config": "pg_catalog.english",
}


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of one major version's cluster in a state directory (absolute)."""

    state_dir: Path
    major: int

    @property
    def home(self) -> Path:
        return self.state_dir / f"postgres-{self.major}"

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.home / "server.log"

    @property
    def marker(self) -> str:
        """The server's cluster_name: which processes are ours is read off it."""
        return f"{NAME}-{hashlib.sha256(os.fsencode(self.data)).hexdigest()[:10]}"


@dataclass(frozen=True, slots=True)
class PidFile:
    """postmaster.pid. `status` is "starting", "ready", "stopping" or "standby"."""

    pid: int
    socket_dir: str
    status: str


def read_pid_file(data: Path) -> PidFile | None:
    """None when there is no server, or it has not yet written all eight lines."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None
    if len(lines) < 8 or not lines[0].strip().isdigit():
        return None
    return PidFile(int(lines[0]), lines[4], lines[7].strip())


def url_of(socket_dir: str) -> str:
    """For asyncpg and libpq alike. The port is named because $PGPORT would change it otherwise."""
    return f"postgresql://{NAME}@/{NAME}?host={quote(socket_dir, safe='/')}&port={PORT}"


def write_configuration(layout: Layout, identity: Identity) -> None:
    """Write postgresql.conf anew, atomically: our defaults may change with our version."""
    lines = [f"{name} = '{value}'" for name, value in _SETTINGS.items()]
    text = "# Written by Sexton at every start. Use ALTER SYSTEM SET, which beats this file.\n" + "\n".join(lines)
    draft = layout.data / "postgresql.conf.new"
    draft.write_text(text + "\n")
    draft.chmod(0o600)
    identity.own(draft)
    draft.replace(layout.data / "postgresql.conf")


def prepare_home(layout: Layout, identity: Identity) -> None:
    """The cluster's home exists, mode 0700, and it and everything in it belongs to the server's user."""
    layout.home.mkdir(mode=0o700, exist_ok=True)
    identity.own_tree(layout.home)


def socket_directory(layout: Layout, identity: Identity) -> Path:
    """A directory of mode 0700 for the socket, without remains of an old one; no server may be running.

    <home>/run when a socket's path fits there (and holds no comma, which separates hosts in URLs), else a
    directory in $XDG_RUNTIME_DIR or /tmp whose owner is checked, because there others may have been first.
    """
    name = f"{NAME}-{identity.uid}-{layout.marker.rpartition('-')[2]}"
    bases = [Path(base) for base in (os.environ.get("XDG_RUNTIME_DIR"), "/tmp") if base]  # noqa: S108
    folder = next(path for path in (layout.home / "run", *(base / name for base in bases)) if _fits(path, identity))
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        identity.own(folder)
    info = folder.lstat()
    if not stat.S_ISDIR(info.st_mode) or info.st_uid not in {identity.uid, os.geteuid()} or info.st_mode & 0o077:
        raise StateDirectoryError(
            f"{folder} must be a directory of user id {identity.uid} with mode 700 to hold the socket; it "
            f"belongs to {info.st_uid} with mode {stat.S_IMODE(info.st_mode):o}: remove it if nobody needs it"
        )
    identity.own(folder)
    for remains in folder.glob(".s.PGSQL.*"):
        remains.unlink()
    return folder


def leave_socket_directory(layout: Layout, folder: Path) -> None:
    """Remove an empty fallback directory, so that /tmp does not fill; what is in use stays."""
    if folder.parent != layout.home:
        with contextlib.suppress(OSError):
            folder.rmdir()


def open_log(layout: Layout, identity: Identity) -> tuple[int, int]:
    """(descriptor, size) of server.log, opened to append; over 4 MiB it becomes server.log.1 first."""
    if layout.log.exists() and layout.log.stat().st_size > _LOG_BYTES:
        layout.log.replace(layout.log.with_suffix(".log.1"))
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(layout.log, flags, 0o600)
    identity.own(layout.log)
    return descriptor, os.fstat(descriptor).st_size


def trim_log(layout: Layout) -> None:
    """Bound the log of a running server: copy it to server.log.1, then empty it under the server.

    It appends, so it goes on at the new end. Lines written between copy and cut are lost, which is why this
    is for logs over 4 MiB only.
    """
    if layout.log.stat().st_size > _LOG_BYTES:
        shutil.copy2(layout.log, layout.log.with_suffix(".log.1"))
        os.truncate(layout.log, 0)


def log_tail(layout: Layout, since: int) -> str:
    """The last 20 lines the server wrote after byte `since`."""
    with layout.log.open("rb") as file:
        file.seek(max(since, layout.log.stat().st_size - 8192))
        return "\n".join("  " + line for line in file.read().decode(errors="replace").splitlines()[-20:])


def _fits(folder: Path, identity: Identity) -> bool:
    if len(os.fsencode(folder)) + len(f"/.s.PGSQL.{PORT}") > _SOCKET_PATH_BYTES or "," in str(folder):
        return False
    return folder.name == "run" or folder.parent == Path("/tmp") or _is_private(folder.parent, identity)  # noqa: S108


def _is_private(base: Path, identity: Identity) -> bool:
    """Whether $XDG_RUNTIME_DIR is what it promises: a directory of the very user who runs the server."""
    return base.is_absolute() and base.is_dir() and base.stat().st_uid == identity.uid
