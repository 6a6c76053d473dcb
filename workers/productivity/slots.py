"""When a reminder is due on people's wall clocks. PURE: instants, zones and dates in, slots out.

A slot is one reminder's local time on one date in one zone. Where the clocks skip that time it comes at the first
instant after the gap; where they show it twice it comes the first time; a date that a zone left out has none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from daemon import zones

ONE_DAY = timedelta(days=1)
LONGEST_LOOK_BACK = 31
"""Days after which a slot that nobody served is not even noted."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`at` o'clock on every date, on one weekday (Monday 1 … Sunday 7), or on one day of the month.

    `window`: how long after its time it is still sent.
    """

    at: time
    window: timedelta
    isoweekday: int | None = None
    month_day: int | None = None

    def falls_on(self, day: date) -> bool:
        return (self.isoweekday is None or day.isoweekday() == self.isoweekday) and (
            self.month_day is None or day.day == self.month_day
        )


@dataclass(frozen=True, slots=True)
class Slot:
    """`zone` is the people's, `clock` the one whose wall clock counts. `skipped`: why it is not sent, None: it is.

    `again`: it was served before, so only who has moved to the zone since is looked at.
    """

    zone: str
    clock: ZoneInfo
    date: date
    due_at: datetime
    skipped: str | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Clocks:
    """Whose wall clock counts for people of a zone: `one` for all where it is set; `default` for unknown zones."""

    default: str
    one: str = ""

    def of(self, zone: str) -> tuple[ZoneInfo, bool]:
        """The clock, and whether the zone exists."""
        try:
            own, known = zones.zone(zone), True
        except ValueError:
            own, known = zones.zone(self.default), False
        return (zones.zone(self.one) if self.one else own), known


def instant(clock: ZoneInfo, day: date, at: time = time(0)) -> datetime:
    """The first instant at which the wall clock shows this time of this date, or later."""
    slot = zones.day_number(day) * zones.DAY + at.hour * 3600 + at.minute * 60 + at.second
    return datetime.fromtimestamp(zones.arrival(clock, slot), UTC)


def local(clock: ZoneInfo, at: datetime) -> datetime:
    return at.astimezone(clock)


def slots(rule: Rule, people: Mapping[str, date | None], clocks: Clocks, now: datetime) -> list[Slot]:
    """What has come by `now` and was not dealt with. `people`: zone → the last date dealt with, None: none ever.

    A zone that is new has no past: its first slot is one that is still within its window.
    """
    return [slot for zone, last in people.items() for slot in _of_zone(rule, zone, last, clocks.of(zone)[0], now)]


def _of_zone(rule: Rule, zone: str, last: date | None, clock: ZoneInfo, now: datetime) -> Iterator[Slot]:
    for day in _candidates(rule, last, local(clock, now).date()):
        due_at = instant(clock, day, rule.at)
        in_time = now - due_at < rule.window
        again = last is not None and day <= last
        if due_at > now or (not in_time and (last is None or again)):
            continue
        skipped = _why_not(clock, day, due_at, in_time, now)
        if skipped is None or not again:
            yield Slot(zone, clock, day, due_at, skipped, again)


def _candidates(rule: Rule, last: date | None, today: date) -> Iterator[date]:
    """Dates that may have a slot: those after the last, and those whose windows may be open; today's neighbours are
    among them, since a zone may leave a date out."""
    recent = today - 2 * ONE_DAY
    first = recent if last is None else max(min(last + ONE_DAY, recent), today - LONGEST_LOOK_BACK * ONE_DAY)
    for n in range((today - first).days + 2):
        day = first + n * ONE_DAY
        if rule.falls_on(day):
            yield day


def _why_not(clock: ZoneInfo, day: date, due_at: datetime, in_time: bool, now: datetime) -> str | None:
    if local(clock, due_at).date() != day:
        return f"{clock.key} has no {day}"
    if not in_time:
        return f"too late: due at {due_at.isoformat()}, and first looked at {now.isoformat()}"
    return None


def unknown_zones(people: Sequence[str], clocks: Clocks) -> list[str]:
    return [zone for zone in people if not clocks.of(zone)[1]]


def day_starts(clock: ZoneInfo, first: date, number: int) -> list[datetime]:
    """The first instant of each of so many dates from `first`, and last the first after them."""
    return [instant(clock, first + n * ONE_DAY) for n in range(number + 1)]


def days(clock: ZoneInfo, first: date, number: int) -> list[tuple[date, datetime, datetime]]:
    """So many dates from `first`, each with its first instant and the one after its last. One that the zone left out
    begins when it ends."""
    starts = day_starts(clock, first, number)
    return [(first + n * ONE_DAY, starts[n], starts[n + 1]) for n in range(number)]
