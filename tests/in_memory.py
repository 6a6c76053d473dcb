"""Temporary files in memory where there is plenty: tests copy and remove clusters of a thousand files, and on a disk
that costs more processor time than many of them need themselves."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")
PLENTY = 6 << 30
"""Bytes, of which a whole run takes about one in six."""
PREFIX = "sexton-tests-"


def keep_temporary_files_in_memory(config: pytest.Config) -> None:
    """For this run and all that it starts; gone at its end. `TMPDIR=/tmp make test` leaves them to look at."""
    if "TMPDIR" in os.environ or not _is_fit():
        return
    _sweep()
    folder = MEMORY / f"{PREFIX}{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    folder.chmod(0o1777)  # as /tmp: servers of root run as somebody else
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    os.environ["TMPDIR"] = str(folder)
    tempfile.tempdir = None


def _is_fit() -> bool:
    """There is room in the file system and in the machine, and programs may be started from there."""
    if not os.access(MEMORY, os.W_OK | os.X_OK):
        return False
    found = os.statvfs(MEMORY)
    room = min(found.f_bavail * found.f_frsize, _available())
    return not found.f_flag & os.ST_NOEXEC and room > PLENTY


def _available() -> int:
    """Bytes of memory that programs could have without swapping."""
    lines = (line.split() for line in Path("/proc/meminfo").read_text().splitlines())
    return next((int(kilobytes) << 10 for name, kilobytes, *_ in lines if name == "MemAvailable:"), 0)


def _sweep() -> None:
    """What runs have left that were killed."""
    for folder in MEMORY.glob(f"{PREFIX}*"):
        if not Path(f"/proc/{folder.name.removeprefix(PREFIX)}").exists():
            shutil.rmtree(folder, ignore_errors=True)
