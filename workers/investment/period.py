"""The weeks and months that reports are about: whole local days, from the first to before the last. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `start` up to, and without, `end`."""

    start: date
    end: date

    def instants(self, zone: tzinfo) -> tuple[datetime, datetime]:
        """Local midnight before the first day and after the last: half open, as SQL wants it."""
        return datetime.combine(self.start, time(), zone), datetime.combine(self.end, time(), zone)

    def days(self) -> Iterator[date]:
        return (self.start + timedelta(days=n) for n in range((self.end - self.start).days))


def last_week(day: date) -> Period:
    """The seven days before the newest Sunday that has begun on `day`; on a Sunday, before that day itself."""
    sunday = day - timedelta(days=day.isoweekday() % 7)
    return Period(sunday - WEEK, sunday)


def last_month(day: date) -> Period:
    """The calendar month before the one that `day` is in."""
    end = day.replace(day=1)
    return Period((end - timedelta(days=1)).replace(day=1), end)


def week_before(period: Period) -> Period:
    return Period(period.start - WEEK, period.start)


def month_before(period: Period) -> Period:
    return last_month(period.start)
