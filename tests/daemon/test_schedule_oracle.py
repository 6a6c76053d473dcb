"""`daemon.schedule` against a brute-force oracle, on the nights when the clocks of the world change.

The oracle shares nothing with the code: it walks every minute (every second, where seconds matter) around a
clock change, asks zoneinfo what the wall clock shows, matches the fields with a parser of its own, and
applies the policy to what it saw. SEXTON_SOAK=1 walks every change of every zone instead of a sample.
"""

import datetime as dt
import itertools
import os
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from random import Random
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.schedule import Cron, daily_or_longer, instants, local_date, passed_over, upcoming

SOAK = bool(os.environ.get("SEXTON_SOAK"))
pytestmark = pytest.mark.timeout(0 if SOAK else 120)
bounded = settings(
    max_examples=20_000 if SOAK else 400,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

_STRIDE = 60 * 3_600
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
ZONES = sorted(available_timezones())
# Moves of the date line, ends of local mean time, half hours, negative DST, gaps across midnight.
ODD = [
    *[("Asia/Manila", 1844), ("America/Sitka", 1867), ("America/New_York", 1883), ("Pacific/Apia", 1892)],
    *[("Europe/Dublin", 1916), ("Europe/Amsterdam", 1937), ("Africa/Freetown", 1939), ("Kwajalein", 1969)],
    *[("Africa/Monrovia", 1972), ("Pacific/Kwajalein", 1993), ("Pacific/Apia", 2011), ("America/Nuuk", 2025)],
    *[("Australia/Lord_Howe", 2026), ("Africa/Casablanca", 2026), ("Antarctica/Troll", 2026)],
]


# the clock


@dataclass(frozen=True)
class Change:
    """A clock change: UTC seconds of its first instant, and the offsets before and after it in seconds."""

    zone: str
    at: int
    before: int
    after: int

    @property
    def pad(self) -> int:
        return abs(self.after - self.before) + 2 * 3_600


def reading(zone: ZoneInfo, at: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(at, zone).replace(tzinfo=None, fold=0)


def offset(zone: ZoneInfo, at: int) -> int:
    return round((dt.datetime.fromtimestamp(at, zone).utcoffset() or dt.timedelta()).total_seconds())


@cache
def changes(name: str, first_year: int = 1970, last_year: int = 2037) -> tuple[Change, ...]:
    """All changes of a zone in those years, which are never as close as the stride: then bisection."""
    zone, found = ZoneInfo(name), []
    start = round((dt.datetime(first_year, 1, 1, tzinfo=dt.UTC) - EPOCH).total_seconds())
    end = round((dt.datetime(last_year + 1, 1, 1, tzinfo=dt.UTC) - EPOCH).total_seconds())
    sampled = range(start, end + _STRIDE, _STRIDE)
    readings = [dt.datetime.fromtimestamp(at, zone).utcoffset() for at in sampled]
    for low, (before, after) in zip(sampled, itertools.pairwise(readings), strict=False):
        if before != after:
            was = offset(zone, low)
            at = low + bisect_left(range(_STRIDE), True, key=lambda t: offset(zone, low + t) != was)
            found.append(Change(name, at, was, offset(zone, at)))
    return tuple(found)


@cache
def walk(change: Change, step: int) -> tuple[tuple[int, dt.datetime], ...]:
    """Every instant around a change with what the wall clock shows at it."""
    zone, margin = ZoneInfo(change.zone), 2 * change.pad
    start = (change.at - margin) // 60 * 60
    return tuple((at, reading(zone, at)) for at in range(start, change.at + margin, step))


# the expression

LIMITS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7), (0, 59))
NAMES = {name: str(n) for n, name in enumerate(["sun", "mon", "tue", "wed", "thu", "fri", "sat"])}
Matcher = Callable[[dt.datetime], bool]


def values(text: str, low: int, high: int) -> set[int]:
    found: set[int] = set()
    for token in text.lower().split(","):
        span, _, step = token.partition("/")
        first, dash, last = span.partition("-")
        if span == "*":
            first, last = str(low), str(high)
        elif not dash:
            last = str(high) if step else first
        first, last = NAMES.get(first, first), NAMES.get(last, last)
        found |= set(range(int(first), int(last) + 1, int(step or 1)))
    return found


def day_matcher(days: str, months: str, weekdays: str) -> Callable[[dt.date], bool]:
    in_month = values(months, *LIMITS[3])
    on_weekday = {n % 7 for n in values(weekdays, 0, 6 if weekdays.startswith("*") else 7)}
    on_day = set() if days == "L" else values(days, *LIMITS[2])

    def matches(date: dt.date) -> bool:
        if date.month not in in_month:
            return False
        day = (date + dt.timedelta(days=1)).day == 1 if days == "L" else date.day in on_day
        weekday = date.isoweekday() % 7 in on_weekday
        return day or weekday if "*" not in (days, weekdays) else day and weekday

    return matches


def matcher(expression: str) -> Matcher:
    fields = expression.split()
    minutes, hours = values(fields[0], *LIMITS[0]), values(fields[1], *LIMITS[1])
    seconds = values(fields[5], *LIMITS[5]) if len(fields) == 6 else {0}
    on = cache(day_matcher(*fields[2:5]))
    return lambda t: t.minute in minutes and t.second in seconds and t.hour in hours and on(t.date())


def random_expression(random: Random, near: dt.datetime, *, with_seconds: bool = False) -> str:
    """An expression likely to fire around a wall clock reading."""
    hour = random.choice(["*", "*/2", "*/5", "0-23", *[str((near.hour + d) % 24) for d in (-2, -1, 0, 0, 0, 1, 1)]])
    if random.random() < 0.3:
        hour = ",".join(sorted({str((near.hour + d) % 24) for d in random.choices(range(-3, 4), k=3)}))
    minute = random.choice(["0", "30", "59", str(random.randrange(60)), "*", "*/7", "*/20", "0,30", "0-59/15", "5/25"])
    day = random.choice(["*"] * 6 + ["L", "*/2", "1-15", f"{near.day}", f"{max(1, near.day - 1)},{near.day}"])
    month = random.choice(["*"] * 6 + [str(near.month), "1-6", "*/3", "3,4,9-11"])
    weekday = random.choice(["*"] * 6 + ["sun", "0", "7", "mon-fri", "1,3,6", "fri-7", str(near.isoweekday())])
    second = random.choice(["0", "*/20", "7,59", "30/10"])
    return " ".join([minute, hour, day, month, weekday, *([second] if with_seconds else [])])


# the policy


def expected(expression: str, change: Change) -> list[tuple[int, bool]]:
    """The instants of the walk around a change, each with whether the change had a hand in it."""
    fields = expression.split()
    aligned = not (change.at % 60 or change.before % 60 or change.after % 60)
    seen = walk(change, 60 if aligned and len(fields) == 5 else 1)
    matches = matcher(expression)
    if fields[0].startswith("*") or fields[1].startswith("*"):
        first: dict[dt.datetime, int] = {}
        return [(at, first.setdefault(shown, at) != at) for at, shown in seen if matches(shown)]
    return once_per_slot(matches, seen, dt.timedelta(seconds=1 if len(fields) == 6 else 60))


def never_shown(expression: str, change: Change) -> bool:
    """Whether the change skips a reading that the expression names."""
    zone, step = ZoneInfo(change.zone), dt.timedelta(seconds=1 if len(expression.split()) == 6 else 60)
    matches, slot = matcher(expression), reading(zone, change.at - 1) + dt.timedelta(seconds=1)
    slot = slot if slot.second == 0 or step.seconds == 1 else slot.replace(second=0) + step
    while slot < reading(zone, change.at):
        if matches(slot):
            return True
        slot += step
    return False


def once_per_slot(
    matches: Matcher, seen: tuple[tuple[int, dt.datetime], ...], step: dt.timedelta
) -> list[tuple[int, bool]]:
    shown_at: dict[dt.datetime, list[int]] = defaultdict(list)
    for at, shown in seen:
        shown_at[shown].append(at)
    readings = sorted(shown_at)
    slot = readings[0].replace(second=0)
    fired: dict[int, bool] = {}
    while slot <= readings[-1]:
        if matches(slot):
            exists = slot in shown_at
            occurrence = slot if exists else readings[bisect_left(readings, slot)]
            at = shown_at[occurrence][0]
            fired[at] = fired.get(at, False) or not exists or len(shown_at[slot]) > 1
        slot += step
    return sorted(fired.items())


# the comparison


def check(expression: str, change: Change, random: Random) -> None:
    """The schedule agrees with the oracle around a change, however the interval is cut in two."""
    low, high = change.at - change.pad, change.at + change.pad
    after, cut, until = sorted(random.randint(low, high) for _ in range(3))
    after, until = random.choice([(after, until), (low, high)])
    cut = random.choice([cut, change.at - 1, change.at, change.at + 1])
    cut = min(max(cut, after), until)
    a, b, c = (EPOCH + dt.timedelta(seconds=t) for t in (after, cut, until))
    schedule = Cron(expression, change.zone)
    got = [*instants(schedule, a, b), *instants(schedule, b, c)]
    wanted = [(at, special) for at, special in expected(expression, change) if after < at <= until]
    found = [(round((i.at - EPOCH).total_seconds()), i.note is not None) for i in got]
    assert found == wanted, f"{schedule} in ({a}, {b}] and ({b}, {c}], change {change}"
    if expression.startswith("*") or expression.split()[1].startswith("*"):
        told = passed_over(schedule, *(EPOCH + dt.timedelta(seconds=t) for t in (change.at - 1, change.at)))
        assert bool(told) == never_shown(expression, change), f"{schedule}, change {change}"
    if daily_or_longer(schedule):
        dates = [local_date(schedule, instant.at) for instant in got]
        assert all(x < y for x, y in itertools.pairwise(dates)), f"{schedule}: {dates}"


def near_of(change: Change, random: Random) -> dt.datetime:
    moment = change.at + random.choice([change.before, change.after]) - random.choice([0, 0, 1_800, 86_400])
    return dt.datetime(1970, 1, 1) + dt.timedelta(seconds=moment)  # noqa: DTZ001


@bounded
@given(st.sampled_from(ZONES), st.randoms(use_true_random=False))
def test_any_expression_at_any_clock_change_agrees_with_the_oracle(zone: str, random: Random) -> None:
    if not changes(zone):
        return
    change = random.choice(changes(zone))
    for _ in range(3):
        check(random_expression(random, near_of(change, random)), change, random)


def test_every_zone_of_the_world_agrees_with_the_oracle() -> None:
    for zone in ZONES:
        random = Random(zone)
        known = changes(zone)
        for change in known if SOAK else random.sample(known, min(2, len(known))):
            check(random_expression(random, near_of(change, random)), change, random)
        walk.cache_clear()


def test_odd_and_historic_changes_agree_with_the_oracle() -> None:
    """Whole days skipped or repeated, half hours, offsets with seconds."""
    for zone, year in ODD:
        assert changes(zone, year, year), (zone, year)
        for change in changes(zone, year, year):
            random = Random(zone)
            for _ in range(40 if SOAK else 2):
                check(random_expression(random, near_of(change, random)), change, random)
            walk.cache_clear()


@settings(bounded, max_examples=2_000 if SOAK else 25)
@given(
    st.sampled_from(["America/New_York", "Australia/Lord_Howe", "Europe/London", "Asia/Beirut", "America/Havana"]),
    st.randoms(use_true_random=False),
)
def test_expressions_with_seconds_agree_with_the_oracle(zone: str, random: Random) -> None:
    change = random.choice([c for c in changes(zone) if abs(c.after - c.before) <= 3_600][-4:])
    check(random_expression(random, near_of(change, random), with_seconds=True), change, random)


@settings(bounded, max_examples=5_000 if SOAK else 150)
@given(st.integers(1971, 2090), st.randoms(use_true_random=False))
def test_days_months_and_weekdays_agree_with_the_oracle_over_two_years(year: int, random: Random) -> None:
    near = dt.datetime(year, random.randint(1, 12), random.randint(1, 28))  # noqa: DTZ001
    days = random_expression(random, near).split()[2:]
    first, last = dt.datetime(year, 1, 1, tzinfo=dt.UTC), dt.datetime(year + 2, 1, 1, tzinfo=dt.UTC)
    schedule = Cron(" ".join(["0", "12", *days]))
    got = [instant.at.date() for instant in instants(schedule, first, last)]
    matches = day_matcher(*days)
    every_day = (first.date() + dt.timedelta(days=n) for n in range((last - first).days))
    assert got == [date for date in every_day if matches(date)]


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Apia", "Africa/Casablanca", "Asia/Kolkata"])
def test_upcoming_is_the_beginning_of_instants(zone: str) -> None:
    start = dt.datetime(2011, 10, 1, tzinfo=dt.UTC)
    for expression in ("30 2 * * *", "*/30 * * * *", "0 0 1 * *"):
        schedule = Cron(expression, zone)
        got = upcoming(schedule, start, 50)
        assert got == list(instants(schedule, start, got[-1].at))
        assert len(got) == 50


def test_the_oracle_itself_knows_new_york() -> None:
    """A wrong oracle agrees with wrong code, so it is held against nights worked out by hand."""
    spring, autumn = changes("America/New_York", 2026, 2026)

    def utc(expression: str, change: Change) -> list[str]:
        return [f"{EPOCH + dt.timedelta(seconds=at):%d %H:%M}" for at, _ in expected(expression, change)]

    assert utc("30 2 * * *", spring) == ["08 07:00"]
    assert utc("*/30 2 * * *", spring) == []
    assert utc("30 1 * * *", autumn) == ["01 05:30"]
    assert utc("30 */1 * * *", autumn)[5:7] == ["01 05:30", "01 06:30"]
