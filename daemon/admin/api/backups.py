"""Backups in the directory of the node that answers: how large, how old, and when they were proven."""

from __future__ import annotations

import asyncio
from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from daemon.admin.access import Viewer
from daemon.admin.problems import Problematic, described
from daemon.admin.state import AdminState, State
from daemon.backup.errors import BackupError
from daemon.backup.record import Backup
from daemon.backup.shelf import Shelf

router = APIRouter(prefix="/api/v1", tags=["backups"])


class KnownBackup(BaseModel):
    """`taken_at`: the instant whose state it holds. `verified_at`: when it was last restored and found equal."""

    name: str = Field(examples=["20261124T030000Z"])
    taken_at: datetime
    bytes: int
    tables: int
    rows: int
    verified_at: datetime | None
    problem: str | None = Field(description="Why it cannot be used, as far as a look at its manifest tells.")

    @classmethod
    def of(cls, backup: Backup) -> KnownBackup:
        return cls(**{name: getattr(backup, name) for name in cls.model_fields})


@router.get("/backups", responses=described(500))
async def list_backups(state: State, _: Viewer) -> list[KnownBackup]:
    """The newest first. Other nodes may have a directory of their own."""
    try:
        return await backups_here(state)
    except BackupError as error:
        raise Problematic(500, str(error)) from error


async def backups_here(state: AdminState) -> list[KnownBackup]:
    """Raises `BackupError` for a directory that cannot be read."""
    shelf = Shelf(state.settings.backup_directory)
    return [KnownBackup.of(backup) for backup in await asyncio.to_thread(shelf.listed)]
