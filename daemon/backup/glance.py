"""What metrics tell of the directory: a look that costs a scrape next to nothing while nothing has changed there."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from daemon.backup import manifest
from daemon.backup.record import Backup
from daemon.backup.shelf import VERIFIED, Shelf

Stamp = tuple[tuple[int, int, int] | None, ...]
"""Inode, size and nanoseconds of the last change of each file: whatever becomes of one of them, it is another."""


@dataclass(slots=True)
class Glance:
    """Reads a backup's manifest and mark when they change, and not at each look. Several threads may look."""

    shelf: Shelf
    _seen: dict[str, tuple[Stamp, Backup]] = field(default_factory=dict)

    def look(self) -> tuple[int, Backup | None]:
        """How many backups there are, and the newest verified one. Raises `DirectoryUnusable`."""
        names = self.shelf.names()
        for gone in self._seen.keys() - set(names):
            self._seen.pop(gone, None)
        return len(names), next((backup for backup in map(self._of, names) if backup.verified), None)

    def _of(self, name: str) -> Backup:
        folder = self.shelf.directory / name
        stamp = tuple(_changed(folder / file) for file in (manifest.FILE, VERIFIED))
        known = self._seen.get(name)
        if known is None or known[0] != stamp:
            self._seen[name] = known = stamp, self.shelf.seen(name)
        return known[1]


def _changed(path: Path) -> tuple[int, int, int] | None:
    """None where there is no such file, or it is not ours to see."""
    with suppress(OSError):
        status = path.stat()
        return status.st_ino, status.st_size, status.st_mtime_ns
    return None
