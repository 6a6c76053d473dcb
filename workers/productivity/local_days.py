"""Which instants the dates of people's own calendars are from and to, as the analytics' statements take them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

from daemon import Context, sql, zones
from workers.productivity.slots import Clocks, days, unknown_zones

(ZONES,) = sql.load(__file__, "zones")


async def lived_in(ctx: Context) -> tuple[list[str], Clocks]:
    """Every zone, past ones included, and whose clock counts for it; those that do not exist are told in the log."""
    async with ctx.snapshot() as reader:
        names = [row["zone"] for row in await reader.fetch(ZONES)]
    clocks = Clocks(ctx.settings.reminders.default_timezone)
    if unknown := unknown_zones(names, clocks):
        ctx.log.warning(
            "%d time zones of people do not exist, and %s stands for them: %s",
            len(unknown), clocks.default, ", ".join(repr(zone) for zone in unknown[:10]),
        )  # fmt: skip
    return names, clocks


def as_days(names: list[str], clocks: Clocks, first: date, number: int) -> list[dict[str, Any]]:
    """PURE: so many dates from `first` in every zone, each with its first instant and the first after it."""
    return [
        {"zone": name, "day": day.isoformat(), "starts": starts.isoformat(), "ends": ends.isoformat()}
        for name in names
        for day, starts, ends in days(clocks.of(name)[0], first, number)
    ]


def as_offsets(names: list[str], clocks: Clocks, first: datetime, past: datetime) -> list[dict[str, Any]]:
    """PURE: for every zone, from when to when which offset east of UTC is in force, in seconds."""
    found = []
    for name in names:
        clock, _ = clocks.of(name)
        at, end = int(first.timestamp()), int(past.timestamp())
        while at < end:
            offset, later = zones.stretch(clock, at)
            found.append({"zone": name, "since": instant(at), "until": instant(later), "offset": offset})
            at = later
    return found


def instant(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def sundays_week(day: date) -> date:
    """PURE: the Sunday that the week of a day begins with."""
    return day - timedelta(days=day.isoweekday() % 7)


def encoded(rows: list[dict[str, Any]]) -> str:
    return json.dumps(rows)
