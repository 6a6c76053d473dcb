"""PURE: which backups may leave."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from daemon.backup.record import Backup


def newest_verified(backups: Iterable[Backup]) -> Backup | None:
    return max((b for b in backups if b.verified), key=lambda b: (b.taken_at, b.name), default=None)


def to_prune(backups: Iterable[Backup], now: datetime, retention: timedelta) -> list[Backup]:
    """Those taken longer than `retention` ago, the oldest first.

    Never the newest verified one; while none is verified, never the newest that can be read: it is the best there is.
    """
    found = sorted(backups, key=lambda b: (b.taken_at, b.name))
    readable = [b for b in found if b.problem is None]
    kept = newest_verified(found) or (readable[-1] if readable else None)
    return [b for b in found if b.taken_at < now - retention and b != kept]
