"""The definitions of the analytics in plain Python, a user and a minute at a time: what statements must agree with.

It reads clocks with the standard library alone, and knows nothing of how the statements split days.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import combinations, pairwise
from statistics import median
from zoneinfo import ZoneInfo

from tests.workers.productivity.platform import Person, Session

MINUTE = timedelta(minutes=1)
LONGEST = timedelta(hours=16)

Activity = dict[tuple[int, date], tuple[int, int, dict[str, int]]]


class Calendar:
    """Which date it is for a person. Who flies west over midnight lives through no date twice: it never goes back."""

    def __init__(self, person: Person, start: datetime, minutes: int) -> None:
        self.start, self.dates = start, list[date]()
        for n in range(minutes):
            now = start + n * MINUTE
            zone = next((zone for left, zone in person.left if now < left), person.zone)
            today = now.astimezone(ZoneInfo(zone)).date()
            self.dates.append(max(today, self.dates[-1]) if self.dates else today)

    def __call__(self, when: datetime) -> date:
        return self.dates[int((when - self.start) / MINUTE)]


def counted_until(session: Session, now: datetime) -> datetime:
    end = session.started + LONGEST
    return min(end if session.ended is None else min(session.ended, end), now)


def activity(people: Sequence[Person], sessions: Sequence[Session], days: Sequence[date], now: datetime) -> Activity:
    """Every whole minute of focus, put down on the date that its person's calendar shows. Times are whole minutes."""
    begin = datetime(days[0].year, days[0].month, days[0].day, tzinfo=UTC) - timedelta(days=3)
    calendars = {p.id: Calendar(p, begin, 60 * 24 * (len(days) + 6)) for p in people}
    minutes: dict[tuple[int, date], set[datetime]] = defaultdict(set)
    reached: dict[tuple[int, date], list[Session]] = defaultdict(list)
    for s in sessions:
        if s.kind != "FOCUS":
            continue
        length = int((counted_until(s, now) - s.started) / MINUTE)
        touched = [s.started + n * MINUTE for n in range(length)]
        for minute in touched:
            minutes[s.user, calendars[s.user](minute)].add(minute)
        for day in {calendars[s.user](minute) for minute in touched}:
            reached[s.user, day].append(s)
    return {
        key: (len(those), 60 * len(minutes[key]), dict(Counter(s.feature for s in those if s.feature is not None)))
        for key, those in reached.items() if key[1] in set(days)
    }  # fmt: skip


def active_between(found: Activity, first: date, last: date) -> int:
    """Distinct people who focused in that time, both days included."""
    return len({user for user, day in found if first <= day <= last})


def retained(found: Activity, signed_up: dict[int, date], cohort: date, n: int) -> tuple[int, int]:
    """People of the cohort, and how many of them focused on exactly the n-th day after."""
    members = [user for user, day in signed_up.items() if day == cohort]
    return len(members), sum((user, cohort + timedelta(days=n)) in found for user in members)


def streaks(active: Iterable[date], today: date) -> tuple[int, int]:
    """The current and the longest run of days; one that ended yesterday is current: today is not over."""
    days = sorted(set(active))
    runs, length = dict[date, int](), 0
    for before, day in pairwise([date.min, *days]):
        length = length + 1 if day - before == timedelta(days=1) else 1
        runs[day] = length
    return max(runs.get(today, 0), runs.get(today - timedelta(days=1), 0)), max(runs.values(), default=0)


def theil_sen(series: Sequence[float]) -> float | None:
    slopes = [(series[j] - series[i]) / (j - i) for i, j in combinations(range(len(series)), 2)]
    return median(slopes) if slopes else None
