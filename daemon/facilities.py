"""What the engine lends to every run's context. Job bodies never see this."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from daemon.connections import JobConnections
from daemon.database import Link, Outage
from daemon.outbox import Missing

if TYPE_CHECKING:
    from daemon.active_run import ActiveRun
    from daemon.backup.service import BackupService


def _none_is_missing(_suite: str, _template: str, _channel: str) -> None:
    """Where nothing is delivered, nothing need be there to deliver it with."""


@dataclass(frozen=True, slots=True)
class Facilities:
    """Made once by the engine; the same for every run of a node."""

    connections: JobConnections
    link: Link
    outage: Outage
    now: Callable[[], datetime]
    node: Callable[[], UUID]
    compute: Callable[..., Awaitable[Any]]
    free_workers: Callable[[], int]
    pool_size: int
    settings: Mapping[str, Any]
    announce: Callable[[Any], None]
    opened: Callable[[ActiveRun], None]
    retry_base: float
    claiming: Callable[[], bool]
    holdings: dict[str, set[int]]
    backups: Callable[[], BackupService]
    missing_template: Missing = _none_is_missing
