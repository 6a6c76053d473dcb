"""Pure: the last and the next day of each job as bars, each a stretch of slots that share a fate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import groupby, islice

from daemon import schedule
from daemon.admin.dashboard import spans
from daemon.admin.dashboard.spans import Span
from daemon.schedule import Schedule

SLOT = timedelta(minutes=30)
SLOTS = 48  # on either side of now
MOST_INSTANTS = 500
DUE = "due"
WORST_FIRST = (
    "failed", "missed", "held", "running", "ready", "waiting", "cancelled", "skipped", "succeeded", DUE,
)  # fmt: skip
_MICROSECOND = timedelta(microseconds=1)

Counts = dict[int, Counter[str]]
"""Instants by slot and state; slot 0 is the one that `now` is in, those before are negative."""


@dataclass(frozen=True, slots=True)
class Bar:
    """From slot `start`, so many slots wide. `state` is the worst in it, `title` says all."""

    start: int
    width: int
    state: str
    title: str


def slot_start(now: datetime) -> datetime:
    """Of the slot that `now` is in."""
    seconds = SLOT.total_seconds()
    return datetime.fromtimestamp(now.timestamp() // seconds * seconds, UTC)


def past(rows: Iterable[tuple[int, str, int]]) -> Counts:
    """From (slot, state, instants)."""
    counts: Counts = {}
    for slot, state, instants in rows:
        counts.setdefault(slot, Counter())[state] += instants
    return counts


def of_span(when: Schedule, span: Span, start: datetime) -> Iterator[tuple[int, int]]:
    """(slot, instants) of a span, as far as it reaches into the day before `start`, where the slot of now begins."""
    for slot, instants in spans.by_slot(when, span, start - SLOTS * SLOT, SLOT):
        yield slot - SLOTS, instants


def coming(when: Schedule, now: datetime) -> list[int]:
    """How many instants are due in each slot from that of `now` on, those of this slot only if they are still to come.
    At most MOST_INSTANTS are counted in a slot.
    """
    start = slot_start(now)
    still = schedule.instants(when, now, start + SLOT - _MICROSECOND)
    return [sum(1 for _ in islice(still, MOST_INSTANTS)), *_later(when, start)]


@lru_cache(maxsize=5000)
def _later(when: Schedule, start: datetime) -> tuple[int, ...]:
    """Of the slots after the one that begins at `start`. A job that is due more often than can be counted here is
    taken to go on as it began.
    """
    counts = [0] * SLOTS
    until = start + SLOTS * SLOT
    for n, instant in enumerate(schedule.instants(when, start + SLOT - _MICROSECOND, until - _MICROSECOND)):
        slot = (instant.at - start) // SLOT
        counts[slot] += 1
        if n == MOST_INSTANTS:
            usual = counts[max(slot - 1, 1)]
            counts[slot:] = [usual] * (SLOTS - slot)
            break
    return tuple(counts[1:])


def bars(counts: Counts) -> list[Bar]:
    """Neighbours of one worst state become one bar."""
    worst = [(slot, min(counts[slot], key=WORST_FIRST.index)) for slot in sorted(counts)]
    found: list[Bar] = []
    for state, stretch in groupby(worst, key=lambda pair: pair[1]):
        for slots in _contiguous([slot for slot, _ in stretch]):
            total = sum((counts[slot] for slot in slots), Counter[str]())
            found.append(Bar(slots[0], len(slots), state, told(total)))
    return found


def _contiguous(slots: Sequence[int]) -> Iterator[list[int]]:
    for _, run in groupby(enumerate(slots), key=lambda pair: pair[1] - pair[0]):
        yield [slot for _, slot in run]


def told(counts: Counter[str]) -> str:
    """`1 failed, 12 succeeded`, the worst first."""
    return ", ".join(f"{counts[state]:,} {state}" for state in WORST_FIRST if counts[state])


def described(counts: Counts) -> str:
    """All of it in a sentence, for whoever cannot see the bars."""
    return told(sum(counts.values(), Counter[str]())) or "nothing"
