"""A backup as it is listed. No I/O is imported here: suites are given it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Backup:
    """`taken_at`: the instant whose state it holds. `bytes` on disk. `sha256`
    of its manifest, which has those of all its files. `verified_at`: when it was last restored and found
    equal, None if it never was. `problem`: why it cannot be used, as far as a look at its manifest tells."""

    name: str
    taken_at: datetime
    bytes: int = 0
    sha256: str = ""
    tables: int = 0
    rows: int = 0
    sexton: str = ""
    postgresql: str = ""
    verified_at: datetime | None = None
    problem: str | None = None

    @property
    def verified(self) -> bool:
        return self.verified_at is not None and self.problem is None


class Backups(Protocol):
    """What a job may do with backups, which are of the whole database and not of its suite's tables alone."""

    async def create(self, since: datetime | None = None) -> Backup:
        """Make one, and verify it if `backup.verify` says so; the run's progress tells of it.

        With `since`, one that was taken from then on stands for it, so that a retry makes no second one of the same
        instant; where an earlier try made it and did not come to verify it, that is done now.

        Nothing of it is fenced: it is there once it is whole. When the run is stopped, the programs that made it are
        ended, and nothing half done stays. Raises `daemon.backup.errors.BackupError`, whose text is for people.
        """
        ...

    async def prune(self) -> list[Backup]:
        """Remove what `backup.retention` does not keep, and return it; never the newest verified one."""
        ...

    async def newest_verified(self) -> Backup | None:
        """The one that was taken last of those that were restored and found equal."""
        ...
