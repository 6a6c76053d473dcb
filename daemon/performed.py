"""What became of one item of a queue, and whose doing an error is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import asyncpg

from daemon.jsonable import storable
from daemon.queue import Postponed, QueueItem

ERROR_LENGTH = 1000
BAD_ROW = ("22", "23", "54", "P0")  # SQLSTATE classes: data, constraint, a value too large, raised by a trigger
BAD_TIME = ("40", "53", "55", "57", "58")  # deadlock, out of space or memory, locked, stopped, the disk


@dataclass(frozen=True, slots=True)
class Performed:
    item: QueueItem
    value: Any = None
    error: str | None = None
    postponed: Postponed | None = None


def is_no_rows_doing(error: Exception, *, alone: bool) -> bool:
    """Whether a refused save costs its items nothing. A missing table is known from a bad row once one stands alone."""
    sqlstate = str(getattr(error, "sqlstate", None) or "") if isinstance(error, asyncpg.PostgresError) else "P0"
    return sqlstate.startswith(BAD_TIME) or (alone and not sqlstate.startswith(BAD_ROW))


def reason(error: BaseException) -> str:
    return storable(f"{type(error).__name__}: {error}"[:ERROR_LENGTH].rstrip(": "))


def seconds_off(item: QueueItem, why: Postponed, *, first: float) -> float:
    """How long a postponed item waits: as it was asked to, else longer each time it was claimed."""
    return first * 2 ** min(item.attempts - 1, 4) if why.delay is None else why.delay.total_seconds()
