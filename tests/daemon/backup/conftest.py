"""A place for backups of this test's database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from daemon import embedded_process as processes
from daemon.backup.place import Place
from daemon.backup.service import BackupService
from daemon.backup.shelf import Shelf
from daemon.backup_settings import BackupSettings
from daemon.events import Event
from daemon.settings import DatabaseSettings, Settings


@dataclass
class Vault:
    """The service on a database, and what it announced."""

    service: BackupService
    events: list[Event] = field(default_factory=list)

    @property
    def shelf(self) -> Shelf:
        return self.service.place.shelf

    @property
    def directory(self) -> Path:
        return self.shelf.directory

    def hidden(self) -> list[str]:
        """What is there besides backups and the lock."""
        return sorted(e.name for e in self.directory.iterdir() if e.name.startswith(".") and e.name != ".lock")


async def until_dumping(directory: Path) -> list[int]:
    """pg_dump's processes, once one is there: a lock of the test's keeps it from going on."""
    async with asyncio.timeout(60):
        while not (found := processes.mentioning(f"--file={directory}/.")):
            await asyncio.sleep(0.02)
    return found


def settings(state: Path, **options: Any) -> Settings:
    database = DatabaseSettings(state_dir=str(state))
    return Settings(suites=(), database=database, backup=BackupSettings(**options))


@pytest.fixture
def vault_of(tmp_path: Path) -> Callable[..., Vault]:
    """A vault in this test's own directory, of any database."""

    def make(url: str, **options: Any) -> Vault:
        events: list[Event] = []
        place = Place(settings(tmp_path, **options), url, "sexton backup test")
        return Vault(BackupService(place, events.append), events)

    return make


@pytest.fixture
def vault(url: str, vault_of: Callable[..., Vault]) -> Vault:
    return vault_of(url)


@pytest.fixture
def hasty(url: str, vault_of: Callable[..., Vault]) -> Vault:
    """Without verification, which takes most of the time."""
    return vault_of(url, verify=False)
