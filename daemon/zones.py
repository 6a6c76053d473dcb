"""The clock changes of a time zone, and where they put a reading of its wall clock.

Times are whole seconds since 1970, as integers: an *instant* counts them in UTC, a *slot* counts them on the
zone's own wall clock (1970-01-01 00:00 local is 0). Integers keep a burst of ten thousand jobs cheap.
"""

import datetime as dt
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAY = 86_400
BLOCK = 64 * DAY
# Offsets have been between −15:56 and +15:14, so no clock change moves a clock by more than this.
REACH = 36 * 3_600
_EPOCH = dt.date(1970, 1, 1).toordinal()


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The zone of that IANA name; ValueError if there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f'unknown time zone "{name}"') from error


class Shift(NamedTuple):
    """A change of the clock: its first instant under the new offset; offsets in seconds east of UTC."""

    at: int
    before: int
    after: int


def wall(tz: ZoneInfo, at: int) -> int:
    """What the wall clock shows at an instant, as a slot."""
    local = dt.datetime.fromtimestamp(at, tz)
    days = local.toordinal() - _EPOCH
    return days * DAY + local.hour * 3_600 + local.minute * 60 + local.second


def shifts(tz: ZoneInfo, after: int, until: int) -> Iterator[Shift]:
    """The clock changes at instants in (after, until], ascending."""
    for block in range(after // BLOCK, (until - 1) // BLOCK + 1):
        for shift in _shifts_of_block(tz, block):
            if after < shift.at <= until:
                yield shift


def stretch(tz: ZoneInfo, at: int) -> tuple[int, int]:
    """The offset in force at an instant, and the first later instant at which to ask again."""
    block = at // BLOCK
    later = (shift.at for shift in _shifts_of_block(tz, block) if shift.at > at)
    return wall(tz, at) - at, next(later, (block + 1) * BLOCK)


@lru_cache(maxsize=16_384)
def _shifts_of_block(tz: ZoneInfo, block: int) -> tuple[Shift, ...]:
    """The clock changes in one block of 64 days, open at its start.

    zoneinfo does not tell its transitions, so offsets a day apart are compared. A day cannot hide a change
    and its reversal: the closest two changes of any zone are 95 hours apart (Freetown, 1939).
    """
    found = []
    start = block * BLOCK
    before = wall(tz, start) - start
    for low in range(start, start + BLOCK, DAY):
        after = wall(tz, low + DAY) - (low + DAY)
        if after != before:
            found.append(Shift(_first_instant_off(tz, before, low, low + DAY), before, after))
        before = after
    return tuple(found)


def _first_instant_off(tz: ZoneInfo, offset: int, low: int, high: int) -> int:
    """The first instant in (low, high] whose offset is no longer `offset`, by bisection."""
    while high - low > 1:
        middle = (low + high) // 2
        if wall(tz, middle) - middle == offset:
            low = middle
        else:
            high = middle
    return high


def high_water(tz: ZoneInfo, at: int) -> int:
    """The latest slot that the wall clock has shown up to and including an instant."""
    passed = [shift.at - 1 + shift.before for shift in shifts(tz, at - REACH, at)]
    return max([wall(tz, at), *passed])


def arrival(tz: ZoneInfo, slot: int) -> int:
    """The first instant at which the wall clock shows `slot` or later."""
    start = slot - REACH
    offset = wall(tz, start) - start
    for shift in shifts(tz, start, slot + REACH):
        if slot - offset < shift.at:
            break
        if shift.at + shift.after >= slot:
            return shift.at
        offset = shift.after
    return slot - offset


def happens_again(tz: ZoneInfo, at: int, slot: int) -> bool:
    """Whether the wall clock, showing `slot` at an instant, is soon set back to show it once more."""
    return any(shift.at + shift.after <= slot for shift in shifts(tz, at, at + REACH))


def repeated(tz: ZoneInfo, at: int) -> tuple[int, int] | None:
    """The slots (first, end) of an overlap whose second pass an instant is in; None if it is in none."""
    reading = wall(tz, at)
    for shift in shifts(tz, at - REACH, at):
        first, end = shift.at + shift.after, shift.at + shift.before
        if first <= reading < end:
            return first, end
    return None


def abbreviation(tz: ZoneInfo, at: int) -> str:
    return dt.datetime.fromtimestamp(at, tz).tzname() or tz.key


def date_of(slot: int) -> dt.date:
    return dt.date.fromordinal(slot // DAY + _EPOCH)


def day_number(date: dt.date) -> int:
    """Days since 1970-01-01."""
    return date.toordinal() - _EPOCH


def clock(slot: int) -> str:
    """ "02:30", or "02:30:15" where seconds matter."""
    minute, second = divmod(slot % DAY, 60)
    return f"{minute // 60:02}:{minute % 60:02}" + (f":{second:02}" if second else "")
