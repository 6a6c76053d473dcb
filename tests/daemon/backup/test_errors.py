"""What goes wrong is told by whose disk it is, and whose fault it is not."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from daemon.backup.errors import (
    BackupError,
    DirectoryUnusable,
    ProgramFailed,
    ServerFull,
    ServerLost,
    of_the_disk,
    of_the_program,
)

FOLDER = Path("/var/backups/sexton")
NO_ROOM = "could not write to file: No space left on device"


@pytest.mark.parametrize(
    ("program", "words", "kind", "said"),
    [
        ("pg_dump", NO_ROOM, DirectoryUnusable, "/var/backups/sexton: No space left on device: make room there"),
        ("pg_dump", "fdatasync: Disk quota exceeded", DirectoryUnusable, "set backup.directory"),
        ("pg_restore", NO_ROOM, ServerFull, "the server's disk is full"),
        ("pg_restore", "error: server closed the connection unexpectedly", ServerLost, "pg_restore lost the database"),
        ("pg_dump", "FATAL: terminating connection due to administrator command", ServerLost, "pg_dump lost"),
        ("pg_restore", "error: unexpected end of file", ProgramFailed, "pg_restore ended with status 1: error: unexp"),
    ],
)
def test_last_words_are_understood(program: str, words: str, kind: type[BackupError], said: str) -> None:
    error = of_the_program(program, 1, words, FOLDER)
    assert type(error) is kind
    assert said in str(error)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "make room there, shorten backup.retention"),
        (errno.EROFS, "mount it writable, or set backup.directory"),
        (errno.EACCES, "under systemd it needs ReadWritePaths="),
        (errno.ENOENT, "mount or create it"),
        (errno.EEXIST, "it is no directory: move it away"),
        (errno.ENOTDIR, "is no directory: move that away"),
        (errno.EIO, "see to it, or set backup.directory"),
    ],
)
def test_a_disk_that_refuses_is_told_with_the_remedy(number: int, said: str) -> None:
    error = of_the_disk(OSError(number, "refused", str(FOLDER)), FOLDER)
    assert said in str(error)
    assert str(FOLDER) in str(error)
    assert "what was there before is as it was" in str(error)
