"""Backups as a job body holds them: a lost database is an outage, and what is done shows in the run's progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from daemon.backup.record import Backup
from daemon.backup.service import BackupService
from daemon.connections import lost_means_down
from daemon.database import Outage


@dataclass(frozen=True, slots=True)
class JobBackups:
    """Implements `daemon.backup.record.Backups`. `show` takes what is done, and of how much."""

    service: BackupService
    outage: Outage
    now: Callable[[], datetime]
    show: Callable[[float, float], None]

    async def create(self) -> Backup:
        with lost_means_down(self.outage):
            return await self.service.create(lambda _, done, total: self.show(done, total))

    async def prune(self) -> list[Backup]:
        return await self.service.prune(self.now())

    async def newest_verified(self) -> Backup | None:
        return await self.service.newest_verified()
