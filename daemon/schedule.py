"""When a job is due: schedules as frozen values, and the instants they name. No clock is read here."""

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from zoneinfo import ZoneInfo

from daemon import cron, cron_notes, zones
from daemon.cron_problems import Problem, cron_problems
from daemon.cron_words import cron_words

__all__ = [
    "Cron",
    "Every",
    "Instant",
    "OnDemand",
    "Problem",
    "Schedule",
    "daily_or_longer",
    "describe",
    "fingerprint",
    "instants",
    "local_date",
    "parse_fingerprint",
    "passed_over",
    "phased",
    "problems",
    "timezone_of",
    "upcoming",
]

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SECOND = dt.timedelta(seconds=1)
_MICROSECOND = dt.timedelta(microseconds=1)
_END_OF_TIME = dt.datetime.max.replace(tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Cron:
    """The wall clock of a zone: five cron fields, or six with the seconds last, or `@daily` and the like."""

    expression: str
    tz: str = "UTC"

    def __post_init__(self) -> None:
        object.__setattr__(self, "expression", cron.canonical(self.expression))


@dataclass(frozen=True, slots=True, init=False)
class Every:
    """A fixed period of elapsed time, anchored to the epoch plus `phase`; seconds, to the microsecond.

    A phase of None counts as 0 until `phased` gives the job its own, so that a herd of jobs spreads.
    """

    seconds: float
    phase: float | None

    def __init__(self, seconds: float | dt.timedelta, phase: float | dt.timedelta | None = None) -> None:
        object.__setattr__(self, "seconds", _to_seconds(seconds))
        object.__setattr__(self, "phase", None if phase is None else _to_seconds(phase))


@dataclass(frozen=True, slots=True)
class OnDemand:
    """Never due by itself: a person, an event or a dependency starts it."""


Schedule = Cron | Every | OnDemand


@dataclass(frozen=True, slots=True)
class Instant:
    """One moment a job is due, in UTC; `note` says in a sentence what a clock change did to it, if any."""

    at: dt.datetime
    note: str | None = None


def _to_seconds(value: float | dt.timedelta) -> float:
    return round(value.total_seconds() if isinstance(value, dt.timedelta) else float(value), 6) + 0.0  # no −0


def phased(schedule: Schedule, name: str) -> Schedule:
    """The schedule, an `Every` without a phase given one: the same name, always the same phase."""
    if not isinstance(schedule, Every) or schedule.phase is not None:
        return schedule
    digest = int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big")
    return Every(schedule.seconds, digest % _microseconds(schedule.seconds) / 1_000_000)


def instants(schedule: Schedule, after: dt.datetime, until: dt.datetime) -> Iterator[Instant]:
    """The instants due in the half-open interval (after, until], ascending and lazily.

    `after` and `until` are aware datetimes. Raises ValueError for a schedule that `problems` refuses.
    Consecutive intervals neither lose nor repeat an instant, wherever they are cut.
    """
    if isinstance(schedule, Cron):
        return _cron_instants(schedule, (after - EPOCH) // _SECOND, (until - EPOCH) // _SECOND)
    if isinstance(schedule, Every):
        return _every_instants(schedule, (after - EPOCH) // _MICROSECOND, (until - EPOCH) // _MICROSECOND)
    return iter(())


def upcoming(schedule: Schedule, after: dt.datetime, count: int) -> list[Instant]:
    """The next `count` instants later than `after`; fewer if there are no more."""
    return list(islice(instants(schedule, after, _END_OF_TIME), count))


def passed_over(schedule: Schedule, after: dt.datetime, until: dt.datetime) -> list[str]:
    """A sentence for each clock change in (after, until] that leaves out instants: those of an interval cron."""
    if not isinstance(schedule, Cron):
        return []
    table, tz = cron.parse(schedule.expression), zones.zone(schedule.tz)
    return cron_notes.passed_over(table, tz, (after - EPOCH) // _SECOND, (until - EPOCH) // _SECOND)


def _cron_instants(schedule: Cron, after: int, until: int) -> Iterator[Instant]:
    table, tz = cron.parse(schedule.expression), zones.zone(schedule.tz)
    return (
        Instant(dt.datetime.fromtimestamp(firing.at, dt.UTC), cron_notes.note(table, tz, firing))
        for firing in cron.firings(table, tz, after, until)
    )


def _every_instants(schedule: Every, after: int, until: int) -> Iterator[Instant]:
    """Pure arithmetic in microseconds, because a burst asks for ten thousand jobs at once."""
    period = _microseconds(schedule.seconds)
    phase = round((schedule.phase or 0.0) * 1_000_000)
    first = after + period - (after - phase) % period
    return (Instant(EPOCH + dt.timedelta(microseconds=at)) for at in range(first, until + 1, period))


def _microseconds(seconds: float) -> int:
    if not (math.isfinite(seconds) and seconds > 0):
        raise ValueError(f"a period of {seconds} seconds is not a period")
    return round(seconds * 1_000_000)


def problems(schedule: Schedule) -> list[Problem]:
    """Everything wrong (`error`) or surprising (`warning`) with a schedule, at once; empty if all is well."""
    if isinstance(schedule, Cron):
        return cron_problems(schedule.expression, schedule.tz)
    if isinstance(schedule, Every):
        return list(_every_problems(schedule))
    return []


def _every_problems(schedule: Every) -> Iterator[Problem]:
    if not (math.isfinite(schedule.seconds) and schedule.seconds > 0):
        yield Problem("error", f"every {schedule.seconds:g} seconds: the period must be at least one microsecond")
    if schedule.phase is not None and not math.isfinite(schedule.phase):
        yield Problem("error", f"phase {schedule.phase}: give a number of seconds, or leave it out")


def daily_or_longer(schedule: Schedule) -> bool:
    """Whether no two instants share a `local_date`, so that the date alone can name a run.

    An interval cron never qualifies (the autumn night has both passes), nor does `OnDemand`: a person may
    well start it twice on one day.
    """
    if isinstance(schedule, Cron):
        table = cron.parse(schedule.expression)
        return not table.interval and table.slots_per_day == 1
    return isinstance(schedule, Every) and schedule.seconds >= zones.DAY


def timezone_of(schedule: Schedule) -> ZoneInfo:
    """The zone the schedule is told in; UTC for all but `Cron`. ValueError if there is no such zone."""
    return zones.zone(schedule.tz if isinstance(schedule, Cron) else "UTC")


def local_date(schedule: Schedule, at: dt.datetime) -> dt.date:
    """The date, in the schedule's zone, of the work that is due at `at`.

    It is the date of the slot served, which a gap across midnight can push into the next day: where Samoa
    skipped 30 December 2011, that day's run is due as the 31st begins, and is still the 30th's.
    """
    tz = timezone_of(schedule)
    if not isinstance(schedule, Cron):
        return at.astimezone(tz).date()
    return cron.served_date(cron.parse(schedule.expression), tz, (at - EPOCH) // _SECOND)


def fingerprint(schedule: Schedule) -> str:
    """The schedule as text that `parse_fingerprint` reverses, such as `cron 0 0 * * * Asia/Kolkata`.

    The database keeps it, so that after a change the old schedule can still be evaluated up to the change.
    """
    if isinstance(schedule, Cron):
        return f"cron {schedule.expression} {schedule.tz}"
    if isinstance(schedule, Every):
        phase = "" if schedule.phase is None else f" phase {_number(schedule.phase)}"
        return f"every {_number(schedule.seconds)}{phase}"
    return "ondemand"


def parse_fingerprint(text: str) -> Schedule:
    """The schedule of a fingerprint. ValueError if the text is none."""
    match text.split():
        case ["cron", *fields, tz] if fields:
            return Cron(" ".join(fields), tz)
        case ["every", seconds]:
            return Every(float(seconds))
        case ["every", seconds, "phase", phase]:
            return Every(float(seconds), float(phase))
        case ["ondemand"]:
            return OnDemand()
    raise ValueError(f'"{text}" is not the fingerprint of a schedule')


def _number(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


def describe(schedule: Schedule) -> str:
    """The schedule in words: "every day at 00:00 (Asia/Kolkata)"; the expression where words fail."""
    if isinstance(schedule, Cron):
        return cron_words(schedule.expression, schedule.tz)
    if isinstance(schedule, OnDemand):
        return "on demand"
    for size, unit in ((zones.DAY, "day"), (3_600, "hour"), (60, "minute"), (1, "second")):
        times = schedule.seconds / size
        if times >= 1 and times.is_integer():
            return f"every {unit}" if times == 1 else f"every {times:.0f} {unit}s"
    return f"every {_number(schedule.seconds)} seconds"
