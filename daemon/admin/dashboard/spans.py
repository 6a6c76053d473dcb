"""Pure: the instants that one row of the ledger stands for, so that each is shown where it was due."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import TypeVar
from zoneinfo import ZoneInfo

from daemon import schedule
from daemon.job import Job, OnEvent, Poll
from daemon.schedule import OnDemand, Schedule

MOST_NAMED = 1000
"""Of a span with more instants, those are looked at that stand for all: in the ledger a span seldom has more."""
_MICROSECOND = timedelta(microseconds=1)

Place = TypeVar("Place", int, date)


@dataclass(frozen=True, slots=True)
class Span:
    """`count` instants from `due_at` to `due_until`, both of them included."""

    due_at: datetime
    due_until: datetime
    count: int


def schedule_of(job: Job) -> Schedule:
    """Of what is not due by itself, one without instants."""
    return OnDemand() if isinstance(job.trigger, Poll | OnEvent) else job.trigger


def instants(when: Schedule, span: Span) -> list[datetime]:
    """Those that the schedule names, if they are as many. Else, as after a change of the schedule, as many at even
    distances. At most MOST_NAMED.
    """
    if span.count <= MOST_NAMED:
        named = schedule.instants(when, span.due_at - _MICROSECOND, span.due_until)
        found = [instant.at for instant in islice(named, span.count + 1)]
        if len(found) == span.count:
            return found
    points = min(span.count, MOST_NAMED)
    step = (span.due_until - span.due_at) / max(points - 1, 1)
    return [span.due_at + n * step for n in range(points)]


@lru_cache(maxsize=5000)
def by_slot(when: Schedule, span: Span, start: datetime, slot: timedelta) -> tuple[tuple[int, int], ...]:
    """(slot, how many) from the one that begins at `start`, which is 0."""
    return _counted(span, ((at - start) // slot for at in instants(when, span) if at >= start))


@lru_cache(maxsize=2000)
def by_day(when: Schedule, span: Span, zone: ZoneInfo) -> tuple[tuple[date, int], ...]:
    """(local day, how many)."""
    return _counted(span, (at.astimezone(zone).date() for at in instants(when, span)))


def _counted(span: Span, places: Iterator[Place]) -> tuple[tuple[Place, int], ...]:
    each = max(span.count / MOST_NAMED, 1.0)
    return tuple((place, round(n * each)) for place, n in Counter(places).items())
