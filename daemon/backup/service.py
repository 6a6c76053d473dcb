"""Backups as commands and jobs use them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime

from daemon.backup.dump import dump
from daemon.backup.errors import BackupError, BackupUnderway, Damaged, UnknownBackup
from daemon.backup.place import Place, alone
from daemon.backup.record import Backup
from daemon.backup.retention import to_prune
from daemon.backup.snapshot import Progress
from daemon.backup.verify import verify
from daemon.database import means_lost
from daemon.events import BackupFailed, BackupMade, Event
from daemon.uninterrupted import to_the_end


def in_silence(_what: str, _done: int, _total: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class BackupService:
    """`emit` is told of each that was made and of each failure, for log, metrics and alerts."""

    place: Place
    emit: Callable[[Event], None]

    async def create(self, progress: Progress = in_silence) -> Backup:
        """Make one, and verify it if `backup.verify` says so.

        Raises `BackupError`. One that cannot be verified stays, unverified. What fails later takes nothing of what is
        there away. When cancelled, no program of ours goes on.
        """
        with self._telling_of_failure():
            async with alone(self.place.shelf):
                return await self._made(progress)

    async def create_once(self, since: datetime, until: datetime, progress: Progress = in_silence) -> Backup:
        """The newest that was taken in [since, until], verified now where `backup.verify` wants it and it never was;
        a new one where there is none, or none that comes out as it went in. Otherwise as `create`.
        """
        with self._telling_of_failure():
            async with alone(self.place.shelf):
                there = [b for b in await self.listed() if b.problem is None and since <= b.taken_at <= until]
                earlier = max(there, key=lambda b: b.taken_at, default=None)
                if earlier is None:
                    return await self._made(progress)
                if earlier.verified or not self.place.settings.backup.verify:
                    return earlier
                try:
                    return await self._finished(earlier.name, progress)
                except Damaged as error:
                    self.emit(BackupFailed(f"{earlier.name} cannot be verified, and another is made: {error}"))
                    return await self._made(progress)

    async def _made(self, progress: Progress) -> Backup:
        return await self._finished(await dump(self.place, progress), progress)

    async def _finished(self, name: str, progress: Progress) -> Backup:
        """Verified, if it has to be, and told of."""
        if self.place.settings.backup.verify:
            await verify(self.place, name, progress)
        backup = (await self._listed())[name]
        self.emit(BackupMade(backup.name, backup.bytes, backup.verified))
        return backup

    async def verify(self, name: str, progress: Progress = in_silence) -> Backup:
        """Prove one that is there. Raises `BackupError`."""
        with self._telling_of_failure(f"{name} cannot be verified: "):
            async with alone(self.place.shelf):
                name = await asyncio.to_thread(self.place.shelf.resolve, name)
                at = await verify(self.place, name, progress)
                return replace((await self._listed())[name], verified_at=at)

    @contextmanager
    def _telling_of_failure(self, what: str = "") -> Iterator[None]:
        """Whatever it is. A lost database is announced as such, by whoever lends us its connection."""
        try:
            yield
        except (BackupUnderway, UnknownBackup):
            raise  # nothing was tried
        except BackupError as error:
            self.emit(BackupFailed(f"{what}{error}"))
            raise
        except Exception as error:
            if not means_lost(error):
                self.emit(BackupFailed(f"{what}{type(error).__name__}: {error}"))
            raise

    async def prune(self, now: datetime) -> list[Backup]:
        """Remove what `backup.retention` does not keep; never the newest verified one. Raises `BackupError`."""
        async with alone(self.place.shelf):
            gone = to_prune((await self._listed()).values(), now, self.place.settings.backup.retention)
            for backup in gone:
                await to_the_end(asyncio.to_thread(self.place.shelf.remove, backup.name))
        return gone

    async def listed(self) -> list[Backup]:
        """The newest first. Raises `BackupError` for a directory that cannot be read."""
        return list((await self._listed()).values())

    async def newest_verified(self) -> Backup | None:
        """None where the directory cannot be read, too: what cannot be read cannot be restored."""
        with suppress(BackupError):
            return await asyncio.to_thread(self.place.shelf.newest_verified)
        return None

    async def _listed(self) -> dict[str, Backup]:
        return {backup.name: backup for backup in await asyncio.to_thread(self.place.shelf.listed)}
