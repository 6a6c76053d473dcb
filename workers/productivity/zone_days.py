"""What the dates of zones are from and to, as JSON that statements take. PURE, and worked out in worker processes."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

from daemon import zones
from workers.productivity.slots import Clocks, days


def days_of(names: list[str], clocks: Clocks, first: date, number: int) -> str:
    """So many dates from `first` in every zone, each with its first instant and the first after it."""
    return json.dumps(
        [
            {"zone": name, "day": day.isoformat(), "starts": starts.isoformat(), "ends": ends.isoformat()}
            for name in names
            for day, starts, ends in days(clocks.of(name)[0], first, number)
        ]
    )


def offsets_of(names: list[str], clocks: Clocks, first: datetime, past: datetime) -> str:
    """For every zone, from when to when which offset east of UTC is in force, in seconds."""
    found = []
    for name in names:
        clock, _ = clocks.of(name)
        at, end = int(first.timestamp()), int(past.timestamp())
        while at < end:
            offset, later = zones.stretch(clock, at)
            found.append({"zone": name, "since": _instant(at), "until": _instant(later), "offset": offset})
            at = later
    return json.dumps(found)


def sundays_week(day: date) -> date:
    """The Sunday that the week of a day begins with."""
    return day - timedelta(days=day.isoweekday() % 7)


def _instant(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
