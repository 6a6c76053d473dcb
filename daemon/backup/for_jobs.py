"""Backups as a job body holds them: a lost database is an outage, and what is done shows in the run's progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from daemon.backup.record import Backup
from daemon.backup.service import BackupService
from daemon.connections import lost_means_down
from daemon.database import Outage

CLOCKS_DIFFER = timedelta(hours=1)
"""At most, between the server, which dates backups, and this node: one beyond it is of a clock that was wrong."""


@dataclass(frozen=True, slots=True)
class JobBackups:
    """Implements `daemon.backup.record.Backups`. `show` takes what is done, and of how much."""

    service: BackupService
    outage: Outage
    now: Callable[[], datetime]
    show: Callable[[float, float], None]

    async def create(self, since: datetime | None = None) -> Backup:
        def show(_what: str, done: int, total: int) -> None:
            self.show(done, total)

        with lost_means_down(self.outage):
            if since is None:
                return await self.service.create(show)
            return await self.service.create_once(since, self.now() + CLOCKS_DIFFER, show)

    async def prune(self) -> list[Backup]:
        return await self.service.prune(self.now())

    async def newest_verified(self) -> Backup | None:
        return await self.service.newest_verified()
