"""PURE: the hours in which a person is not to be disturbed, on the wall clock of their own zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from daemon import zones


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `start` up to `end`, over midnight when start is the later of the two. Equal: never quiet."""

    start: time
    end: time

    def until(self, now: datetime, zone: ZoneInfo) -> datetime | None:
        """When they end, if `now` lies in them, else None.

        A clock change counts as people see it: an end that the clocks skip is the first instant after the gap, and
        an hour that comes twice is judged the first time, so that what has ended does not begin again.
        """
        shown = zones.high_water(zone, int(now.timestamp()))
        midnight, of_day = shown - shown % zones.DAY, shown % zones.DAY
        start, end = _seconds(self.start), _seconds(self.end)
        over_midnight = start > end
        if not (start <= of_day < end or (over_midnight and not end <= of_day < start)):
            return None
        slot = midnight + end if of_day < end else midnight + zones.DAY + end
        return datetime.fromtimestamp(zones.arrival(zone, slot), UTC)


def _seconds(at: time) -> int:
    return at.hour * 3600 + at.minute * 60 + at.second
