"""When a cron expression fires in a time zone: croniter reads it, the nights the clocks change are ours.

croniter alone runs a daily 01:30 twice on the autumn night, so here it only parses, and steps over naive
days, which have no clock change to get wrong. It is imported when first needed: it takes 50 ms, and worker
processes import suites but never ask when a job is due. Instants and slots are whole seconds, as in `zones`.
"""

import copy
import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from daemon.zones import DAY, arrival, date_of, day_number, high_water, stretch, wall

if TYPE_CHECKING:
    from croniter import croniter

# Past this, datetime cannot hold the neighbouring days that the arithmetic looks at.
_LAST_DAY = day_number(dt.date(9999, 1, 1))

ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


def canonical(expression: str) -> str:
    """The expression with single spaces, and `@daily` and its like spelled out: equals compare equal."""
    spaced = " ".join(expression.split())
    return ALIASES.get(spaced.lower(), spaced)


@dataclass(frozen=True, slots=True)
class Table:
    """A parsed expression: the slots of the wall clock that it names.

    `days` is its day-of-month, month and weekday fields; `minutes` are minutes of a day (0 to 1439), and
    `seconds` seconds of a minute, both ascending. `interval` tells the two policies of `firings` apart.
    """

    days: str
    minutes: tuple[int, ...]
    seconds: tuple[int, ...]
    interval: bool

    @property
    def slots_per_day(self) -> int:
        return len(self.minutes) * len(self.seconds)

    def after(self, slot: int) -> int | None:
        """The first slot later than `slot`; None if none comes within 50 years, so that it never fires."""
        day, second = divmod(slot, DAY)
        if _day_after(self.days, day - 1) == day:
            found = self._time_after(second)
            if found is not None:
                return day * DAY + found
        later = _day_after(self.days, day)
        return None if later is None else later * DAY + self.minutes[0] * 60 + self.seconds[0]

    def _time_after(self, second: int) -> int | None:
        """The first matching second of a matching day later than `second`; None if the day is over."""
        minute, rest = divmod(second, 60)
        at = bisect_left(self.minutes, minute)
        if at < len(self.minutes) and self.minutes[at] == minute:
            later = bisect_right(self.seconds, rest)
            if later < len(self.seconds):
                return minute * 60 + self.seconds[later]
            at += 1
        return self.minutes[at] * 60 + self.seconds[0] if at < len(self.minutes) else None


@lru_cache(maxsize=4096)
def parse(expression: str) -> Table:
    """The table of a canonical expression: five fields, or six with seconds last. ValueError if it is bad."""
    from croniter import croniter

    fields = expression.split()
    if len(fields) not in (5, 6):
        raise ValueError(f'"{expression}" has {len(fields)} fields: give five, or six with seconds last')
    expanded = croniter.expand(expression)[0]
    minutes, hours = _values(expanded[0], 60), _values(expanded[1], 24)
    return Table(
        days=" ".join(fields[2:5]),
        minutes=tuple(hour * 60 + minute for hour in hours for minute in minutes),
        seconds=_values(expanded[5], 60) if len(fields) == 6 else (0,),
        interval=fields[0].startswith("*") or fields[1].startswith("*"),
    )


def _values(expanded: list[int | str], size: int) -> tuple[int, ...]:
    """The numbers of one expanded field; a `*` anywhere in a list means all of them."""
    numbers = tuple(value for value in expanded if isinstance(value, int))
    return tuple(range(size)) if "*" in expanded else numbers


@lru_cache(maxsize=4096)
def _stepper(days: str) -> "croniter":
    from croniter import croniter

    return croniter(f"0 0 {days}", dt.datetime(1970, 1, 1))  # noqa: DTZ001  naive: no zone, no clock change


@lru_cache(maxsize=65_536)
def _day_after(days: str, day: int) -> int | None:
    """The first matching day later than `day`, both since 1970-01-01; None if none comes within 50 years."""
    if day >= _LAST_DAY:
        return None
    if days == "* * *":
        return day + 1
    midnight = dt.datetime.combine(date_of(day * DAY), dt.time())
    # A copy, because croniter keeps its position inside, and two threads may ask at once.
    try:
        found: dt.datetime = copy.copy(_stepper(days)).get_next(dt.datetime, start_time=midnight)
    except (ValueError, OverflowError):
        return None
    return day_number(found.date())


class Firing(NamedTuple):
    """An instant and the slots it serves, ascending: one, or several that a gap in the clock merged."""

    at: int
    slots: tuple[int, ...]


def firings(table: Table, tz: ZoneInfo, after: int, until: int) -> Iterator[Firing]:
    """The instants of the table in (after, until], ascending, lazily.

    An interval table (its minute or hour field starts with `*`) follows elapsed time: both passes of an
    overlap, nothing in a gap. Any other names slots of the wall clock, and each slot is served once: at its
    first occurrence, or at the first valid instant after the gap that swallowed it.
    """
    return _elapsed(table, tz, after, until) if table.interval else _once_per_slot(table, tz, after, until)


def _elapsed(table: Table, tz: ZoneInfo, after: int, until: int) -> Iterator[Firing]:
    """Every instant at which the wall clock shows a slot, one stretch of constant offset after the other."""
    start = after + 1
    while start <= until:
        offset, edge = stretch(tz, start)
        end = min(edge, until + 1)
        slot = table.after(start - 1 + offset)
        while slot is not None and slot - offset < end:
            yield Firing(slot - offset, (slot,))
            slot = table.after(slot)
        if slot is None:
            return
        start = edge


def _once_per_slot(table: Table, tz: ZoneInfo, after: int, until: int) -> Iterator[Firing]:
    """Each slot when the wall clock first reaches it.

    A slot is served when the clock's high-water mark passes it. That one rule is the whole policy: a clock
    set back does not raise the mark until it has caught up, one set forward passes all it skips at once.
    """
    slot = table.after(high_water(tz, after))
    while slot is not None:
        at = arrival(tz, slot)
        if at > until:
            return
        served, reading = [slot], wall(tz, at)
        while (slot := table.after(served[-1])) is not None and slot <= reading:
            served.append(slot)
        yield Firing(at, tuple(served))


def served_date(table: Table, tz: ZoneInfo, at: int) -> dt.date:
    """The local date that an instant belongs to: that of the last slot it serves, else the calendar's.

    They differ when a gap crosses midnight: in Nuuk, Saturday's 23:30 runs at Sunday 00:00 and is Saturday's.
    """
    slots = [] if table.interval else [f.slots[-1] for f in _once_per_slot(table, tz, at - 1, at)]
    return date_of(slots[-1] if slots else wall(tz, at))
