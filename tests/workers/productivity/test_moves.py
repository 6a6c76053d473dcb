"""People who move between ticks, west over midnight and across the date line: told in time, and never twice a date."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.workers.productivity.house import LONG_AGO, House
from tests.workers.productivity.test_slots import ODD
from workers.productivity.daily_check import daily_check

TICK, WINDOW = timedelta(minutes=15), timedelta(hours=3)
HOURS, PEOPLE = 30, 40
ZONES = (*ODD, "Pacific/Honolulu", "Pacific/Auckland")


@dataclass
class Mover:
    """`homes`: from when they lived in which zone, in order."""

    id: int
    homes: list[tuple[datetime, str]]

    def evening(self, tick: datetime) -> date | None:
        """The date whose six o'clock was less than three hours ago where they live; none when it was not."""
        clock = ZoneInfo(next(zone for since, zone in reversed(self.homes) if since <= tick))
        here = tick.astimezone(clock).date()
        six = datetime.combine(here, time(18), clock).astimezone(UTC)
        return here if timedelta(0) <= tick - six < WINDOW else None


def drawn(draw: random.Random, id_: int, start: datetime) -> Mover:
    moves = sorted(start + timedelta(minutes=draw.randrange(60 * HOURS)) for _ in range(draw.randrange(4)))
    return Mover(id_, [(when, draw.choice(ZONES)) for when in (LONG_AGO.replace(year=2011), *moves)])


async def play(house: House, movers: list[Mover], ticks: list[datetime]) -> None:
    moves = sorted((when, mover.id, zone) for mover in movers for when, zone in mover.homes[1:])
    for tick in ticks:
        while moves and moves[0][0] <= tick:
            when, id_, zone = moves.pop(0)
            await house.connection.execute(
                "UPDATE productivity.users SET tz = $2, tz_set_at = $3 WHERE id = $1 AND tz <> $2", id_, zone, when
            )
        await house.succeed(daily_check, tick)


def first_evenings(mover: Mover, ticks: list[datetime]) -> Iterator[tuple[tuple[int, date], datetime]]:
    """Each date of which some tick saw the evening, with the first such tick."""
    seen: set[date] = set()
    for tick in ticks:
        of = mover.evening(tick)
        if of is not None and of not in seen:
            seen.add(of)
            yield (mover.id, of), tick


@pytest.mark.parametrize("start", [datetime(2026, 10, 24, 18, tzinfo=UTC), datetime(2011, 12, 29, 18, tzinfo=UTC)])
async def test_whoever_moves_is_told_at_the_first_tick_of_each_of_their_evenings_and_never_again_on_that_date(
    house: House, start: datetime
) -> None:
    """Over the night on which Zurich changes its clocks, and over the date that Samoa left out."""
    draw = random.Random(7)
    movers = [drawn(draw, id_, start) for id_ in range(1, PEOPLE + 1)]
    for mover in movers:
        since, zone = mover.homes[0]
        await house.user(mover.id, zone, created_at=since, tz_set_at=since, last_activity_at=start)
    ticks = [start + n * TICK for n in range(HOURS * 4)]
    await play(house, movers, ticks)
    log = "SELECT user_id, ref::date, sent_at FROM productivity.reminder_log WHERE kind = 'daily_check'"
    told = {(user, of): at for user, of, at in await house.rows(log)}
    assert told == {key: tick for mover in movers for key, tick in first_evenings(mover, ticks)}
    assert len(told) > PEOPLE
    assert await house.value("SELECT count(*) FROM sexton.outbox") == len(told)
