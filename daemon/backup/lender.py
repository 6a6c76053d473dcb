"""How a node lends backups to the runs that ask. Light: what makes them is imported with the first that does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.events import Event
from daemon.settings import Settings

if TYPE_CHECKING:
    from daemon.backup.service import BackupService


@dataclass(frozen=True, slots=True)
class BackupLender:
    """`url` bypasses a transaction pooler; `application` names the node as it is called by then."""

    settings: Settings
    url: str
    application: Callable[[], str]
    emit: Callable[[Event], None]

    def __call__(self) -> BackupService:
        from daemon.backup.place import Place
        from daemon.backup.service import BackupService

        return BackupService(Place(self.settings, self.url, self.application()), self.emit)
