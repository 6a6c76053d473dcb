"""What became of one item of a queue, and whose doing an error is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from daemon.jsonable import storable
from daemon.queue import Postponed, QueueItem

ERROR_LENGTH = 1000
BAD_ROW = ("22", "23", "54", "P0")  # SQLSTATE classes: data, constraint, a value too large, raised by a trigger
BAD_TIME = ("40", "53", "55", "57", "58")  # deadlock, out of space or memory, locked, stopped, the disk
MOST_PUT_OFF = 8
PutOff = list[tuple[QueueItem, Postponed]]
Bad = list[tuple[QueueItem, str | None]]


@dataclass(frozen=True, slots=True)
class Performed:
    item: QueueItem
    value: Any = None
    error: str | None = None
    postponed: Postponed | None = None


def sorted_out(batch: Sequence[Performed], *, others_done: bool) -> tuple[PutOff, Bad]:
    """PURE: what is put off and what failed. What is put off again and again while others are done is not innocent:
    it fails like anything else, so that it ends among the dead and somebody hears of it."""
    bad: Bad = [(p.item, p.error) for p in batch if p.error is not None]
    put_off: PutOff = []
    for item, why in ((p.item, p.postponed) for p in batch if p.postponed is not None):
        if others_done and item.attempts - item.failures > MOST_PUT_OFF:
            bad.append((item, f"put off {MOST_PUT_OFF} times while others were done: {why}"[:ERROR_LENGTH]))
        else:
            put_off.append((item, why))
    return put_off, bad


def is_no_rows_doing(error: Exception, *, alone: bool) -> bool:
    """Whether a refused save costs its items nothing. A missing table is known from a bad row once one stands alone."""
    sqlstate = str(getattr(error, "sqlstate", None) or "") if isinstance(error, asyncpg.PostgresError) else "P0"
    return sqlstate.startswith(BAD_TIME) or (alone and not sqlstate.startswith(BAD_ROW))


def reason(error: BaseException) -> str:
    return storable(f"{type(error).__name__}: {error}"[:ERROR_LENGTH].rstrip(": "))


def seconds_off(item: QueueItem, why: Postponed, *, first: float) -> float:
    """How long a postponed item waits: as it was asked to, else longer each time it was claimed."""
    return first * 2 ** min(item.attempts - 1, 4) if why.delay is None else why.delay.total_seconds()
