"""Who may run the database of a state directory: two flocks.

`<state>/lock` is exclusive and held, with pid and role written inside, by the process that runs the server.
`<state>/guests` is shared: every command that uses a *guest's* server holds it, and that guest stops its
server only once it holds it exclusively. So guests run side by side, and the first to leave waits for the
others.

A guest marks its record as leaving before it asks for the exclusive lock, and a newcomer takes the shared
lock before it reads the record: either the newcomer sees the mark, or the leaver sees the newcomer. Flocks
end with the process, kill -9 included; the files stay, because unlinking a locked file splits the lock in
two.
"""

import asyncio
import contextlib
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from daemon.embedded_errors import StateDirectoryError, StateDirectoryHeldError
from daemon.embedded_events import EmbeddedEvent, WaitingForGuests, WaitingForHolder
from daemon.embedded_process import is_alive

Role = Literal["daemon", "guest"]
# A holder writes its name right after it has the lock; for that moment, and only then, the file may name a
# dead one.
_NAMELESS_SECONDS = 2.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.25


@dataclass(frozen=True, slots=True)
class Holder:
    """The record inside `<state>/lock`. It is a claim: only the flock is the truth."""

    pid: int
    role: str
    leaving: bool


def read_holder(state_dir: Path) -> Holder | None:
    """Who wrote the lock file, if it names a living process.

    Raises StateDirectoryError when we may not read it: then the server's socket is closed to us too.
    """
    try:
        text = (state_dir / "lock").read_text()
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise _forbidden(state_dir) from error
    try:
        record = json.loads(text)
        holder = Holder(int(record["pid"]), str(record["role"]), bool(record["leaving"]))
    except (
        ValueError,
        KeyError,
        TypeError,
    ):  # empty: released, or not yet written; half-written: about to be
        return None
    return holder if is_alive(holder.pid) else None


class StateLock:
    """The exclusive lock on a state directory."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._role: Role = "guest"
        self._file: int | None = None

    async def acquire(self, role: Role, on_event: Callable[[EmbeddedEvent], None]) -> None:
        """Take the lock. A daemon waits for a guest, as long as it takes (`on_event` hears whom for).

        Raises StateDirectoryHeldError at once in every other case: a daemon holds it, or we are a guest
        ourselves.
        """
        nameless_until = time.monotonic() + _NAMELESS_SECONDS
        told: Holder | None = None
        for pause in pauses():
            if self._try(role):
                return
            holder = read_holder(self._state_dir)
            if holder is not None and not (role == "daemon" and holder.role == "guest"):
                raise StateDirectoryHeldError(self._state_dir, holder.pid, holder.role)
            if holder is None and time.monotonic() >= nameless_until:
                raise StateDirectoryHeldError(self._state_dir, None, "unknown")
            if holder is not None:
                nameless_until = time.monotonic() + _NAMELESS_SECONDS
                if told is None or holder.pid != told.pid:
                    on_event(WaitingForHolder(holder.pid, holder.role))
                    told = holder
            await asyncio.sleep(pause)

    async def leave(self, on_event: Callable[[EmbeddedEvent], None]) -> None:
        """Let no further command join our server, and wait for those that did. For guests."""
        self._write(leaving=True)
        told = False
        with _opened(self._state_dir, "guests") as file:
            for pause in pauses():
                if _locked(file, fcntl.LOCK_EX):
                    return
                if not told:
                    on_event(WaitingForGuests())
                    told = True
                await asyncio.sleep(pause)

    def release(self) -> None:
        """Give the lock up; empties the record first, so that nobody is told an old name. Idempotent."""
        if self._file is not None:
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = None

    def _try(self, role: Role) -> bool:
        file = _open(self._state_dir, "lock")
        if not _locked(file, fcntl.LOCK_EX):
            os.close(file)
            return False
        self._file, self._role = file, role
        self._write(leaving=False)
        return True

    def _write(self, *, leaving: bool) -> None:
        if self._file is not None:
            record = json.dumps({"pid": os.getpid(), "role": self._role, "leaving": leaving}).encode()
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, record, 0)


@contextlib.contextmanager
def joined_guests(state_dir: Path) -> Iterator[bool]:
    """Hold a seat beside the other guests. False: there is none to be had, the server is about to stop."""
    with _opened(state_dir, "guests") as file:
        yield _locked(file, fcntl.LOCK_SH)


def pauses() -> Iterator[float]:
    """Seconds to sleep between looks at something that announces nothing: 10 ms, doubling, at most 250 ms."""
    pause = _FIRST_PAUSE
    while True:
        yield pause
        pause = min(pause * 2, _LONGEST_PAUSE)


def _open(state_dir: Path, name: str) -> int:
    """A lock file, created if need be, owned by whoever owns the directory (root may only be visiting)."""
    try:
        file = os.open(state_dir / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except PermissionError as error:
        raise _forbidden(state_dir) from error
    if os.geteuid() == 0:
        owner = state_dir.stat()
        os.fchown(file, owner.st_uid, owner.st_gid)
    return file


@contextlib.contextmanager
def _opened(state_dir: Path, name: str) -> Iterator[int]:
    file = _open(state_dir, name)
    try:
        yield file
    finally:
        os.close(file)


def _locked(file: int, mode: int) -> bool:
    try:
        fcntl.flock(file, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _forbidden(state_dir: Path) -> StateDirectoryError:
    try:
        owner = f"belongs to user id {state_dir.stat().st_uid}"
    except PermissionError:
        owner = "is closed to us"
    return StateDirectoryError(
        f"{state_dir} {owner} and we are user id {os.geteuid()}: run this as that user or as root (sudo)"
    )
