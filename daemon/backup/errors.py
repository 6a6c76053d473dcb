"""What can be wrong with a backup. Every text is written for the operator: the place, what is wrong, the remedy."""

from __future__ import annotations

import errno
from pathlib import Path

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FULL_WORDS = ("No space left on device", "Disk quota exceeded", "File too large")
LOST_WORDS = ("server closed the connection", "terminating connection", "connection to server", "no connection to")
KEPT = "what was there before is as it was"


class BackupError(Exception):
    """Base of all of them."""


class UnknownBackup(BackupError):
    """There is none of that name."""


class BackupUnderway(BackupError):
    """Somebody else is at work in the directory."""


class DirectoryUnusable(BackupError):
    """The directory is full, read-only, not there, or not ours."""


class NoTools(BackupError):
    """There is no pg_dump that fits the server."""


class ProgramFailed(BackupError):
    """pg_dump or pg_restore failed; the text has its last words."""


class ServerFull(BackupError):
    """There is no room to restore into."""


class ServerLost(BackupError):
    """The connection to the server broke while pg_dump or pg_restore was at work."""


class Damaged(BackupError):
    """A backup that is not what it was when it was made. `problems` names each thing wrong."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


class TooNew(BackupError):
    """Made by a newer release, in a form that this one cannot read."""


class Differs(Damaged):
    """It was restored, and what came out is not what went in."""


class RestoreRefused(BackupError):
    """The target must not be overwritten."""


def of_the_disk(error: OSError, folder: Path) -> DirectoryUnusable:
    """What a failed write to the directory means, and what to do about it."""
    if error.errno in FULL:
        return full(folder, error.strerror or "no space left")
    remedy = {
        errno.EROFS: "mount it writable",
        errno.ENOENT: "mount or create it",
        errno.EEXIST: "it is no directory: move it away",
        errno.ENOTDIR: "it, or what is above it, is no directory: move that away",
        errno.EACCES: "give it to the user who runs sexton; under systemd it needs ReadWritePaths=",
        errno.EPERM: "give it to the user who runs sexton; under systemd it needs ReadWritePaths=",
    }.get(error.errno or 0, "see to it")
    place = error.filename or folder
    return DirectoryUnusable(f"{place}: {error.strerror}; {remedy}, or set backup.directory; {KEPT}")


def full(folder: Path, words: str) -> DirectoryUnusable:
    return DirectoryUnusable(
        f"{folder}: {words}: make room there, shorten backup.retention (sexton backup prune), or set backup.directory "
        f"to another disk; {KEPT}"
    )


def of_the_program(program: str, status: int, words: str, folder: Path) -> BackupError:
    """What a program's last words mean. pg_dump writes to the directory, pg_restore to the server's disk."""
    found = next((w for w in FULL_WORDS if w in words), None)
    if found and program == "pg_dump":
        return full(folder, found)
    if found:
        return ServerFull(f"the server's disk is full, and a restore needs room for the whole database: {words}")
    if any(w in words for w in LOST_WORDS):
        return ServerLost(f"{program} lost the database: {words}")
    return ProgramFailed(f"{program} ended with status {status}: {words}")
