"""Random people, zones, wishes and goals, tick by tick: who is told of what, against the rules read in Python."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tests.workers.productivity.house import LONG_AGO, House
from tests.workers.productivity.test_slots import ODD
from workers.productivity.goal_deadlines import goal_deadlines

TICK, WINDOW = timedelta(minutes=15), timedelta(hours=6)
PEOPLE = 300


@dataclass(frozen=True)
class Person:
    id: int
    zone: str
    mail: bool
    wants: bool
    deleted: bool
    goals: tuple[tuple[int, date, str], ...]

    def told(self, tick: datetime, before: set[tuple[int, str]], *, first: bool) -> set[tuple[int, str]]:
        """Goal and bucket of what the first tick at or after nine o'clock here says; the very first serves whoever is
        within the window. `before`: what was said already."""
        here = tick.astimezone(ZoneInfo(self.zone))
        earlier = (tick - (WINDOW if first else TICK)).astimezone(ZoneInfo(self.zone))
        came = here.time() >= time(9) and (earlier.date() < here.date() or earlier.time() < time(9))
        if not came or self.deleted or not (self.mail and self.wants):
            return set()
        days = {goal: (due_on - here.date()).days for goal, due_on, status in self.goals if status == "OPEN"}
        wanted = {(goal, "tomorrow" if ahead == 1 else "next week") for goal, ahead in days.items() if 1 <= ahead <= 7}
        return wanted - before


def drawn(draw: random.Random, id_: int, today: date) -> Person:
    goals = tuple(
        (id_ * 10 + n, today + timedelta(days=draw.randrange(-2, 12)), draw.choice(("OPEN", "OPEN", "ABANDONED")))
        for n in range(draw.randrange(6))
    )
    often = [draw.random() > 0.1 for _ in range(2)]
    return Person(id_, draw.choice(ODD), *often, deleted=draw.random() < 0.1, goals=goals)


async def load(house: House, people: list[Person]) -> None:
    run = house.connection.executemany
    await run(
        "INSERT INTO productivity.users (id, email, tz, tz_set_at, created_at, deleted_at) "
        "VALUES ($1, $2, $3, $4, $4, $5)",
        [(p.id, f"{p.id}@example.org", p.zone, LONG_AGO, LONG_AGO if p.deleted else None) for p in people],
    )
    await run(
        "INSERT INTO productivity.user_pref (user_id, email_enabled, channels) VALUES ($1, $2, $3)",
        [(p.id, p.mail, json.dumps({"goal": p.wants})) for p in people if not (p.mail and p.wants)],
    )
    await run(
        "INSERT INTO productivity.goal (id, user_id, title, due_on, status) VALUES ($1, $2, 'a', $3, $4)",
        [(goal, p.id, due_on, status) for p in people for goal, due_on, status in p.goals],
    )


async def test_three_days_of_ticks_tell_everybody_of_what_the_rules_say(house: House) -> None:
    """Over the night on which Zurich changes its clocks. Most ticks at which nobody is to be told are left out."""
    start = datetime(2026, 10, 24, tzinfo=UTC)
    draw = random.Random(11)
    people = [drawn(draw, id_, start.date()) for id_ in range(1, PEOPLE + 1)]
    await load(house, people)
    before: dict[int, set[tuple[int, str]]] = {person.id: set() for person in people}
    for n in range(3 * 96):
        tick = start + n * TICK
        said = {person.id: person.told(tick, before[person.id], first=n == 0) for person in people}
        told = {user: of_user for user, of_user in said.items() if of_user}
        if not told and n % 16:
            continue
        result = await house.succeed(goal_deadlines, tick)
        assert result["sent"] == len(told), tick
        rows = await house.rows("SELECT user_id, ref::bigint, substring(bucket FROM '^(.*) ') FROM "
                                "productivity.reminder_log WHERE kind = 'goal' AND sent_at = $1", tick)  # fmt: skip
        assert {(user, goal, bucket) for user, goal, bucket in rows} == {
            (user, *one) for user, of_user in told.items() for one in of_user
        }
        for user, of_user in told.items():
            before[user] |= of_user
    assert sum(map(len, before.values())) > PEOPLE / 2
