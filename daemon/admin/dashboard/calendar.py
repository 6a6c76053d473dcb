"""Pure: weeks of days coloured by what became of a job's due instants, and bars for how long its runs took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from daemon.admin.dashboard import spans
from daemon.admin.dashboard.spans import Span
from daemon.admin.dashboard.timeline import WORST_FIRST, told
from daemon.schedule import Schedule

WEEKS = 6
MOST_REASONS = 3
GAPS = ("failed", "missed", "held", "cancelled", "skipped")


@dataclass
class Day:
    """`reasons`: why instants of this day did not simply run, the commonest first."""

    date: date
    counts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def state(self) -> str:
        """The worst of the day; `none` where nothing was due."""
        return min((s for s in self.counts if self.counts[s]), key=WORST_FIRST.index, default="none")

    @property
    def why(self) -> str:
        return "; ".join(reason for reason, _ in self.reasons.most_common(MOST_REASONS))

    @property
    def title(self) -> str:
        whole = told(self.counts) or "nothing due"
        return f"{self.date}: {whole}" + (f" ({self.why})" if self.why else "")


def on_days(rows: Iterable[Mapping[str, Any]], when: Schedule, zone: ZoneInfo) -> Iterator[Mapping[str, Any]]:
    """Rows of single days from those of the ledger, of which a span has {due_at, due_until} and no day."""
    for row in rows:
        if row["due_until"] is None:
            yield row
        else:
            span = Span(row["due_at"], row["due_until"], row["instants"])
            yield from ({**row, "day": day, "instants": n} for day, n in spans.by_day(when, span, zone))


def weeks(rows: Iterable[Mapping[str, Any]], today: date) -> list[list[Day]]:
    """Whole weeks from Monday, the last one with `today` in it. Rows: {day, state, instants, reasons}."""
    first = today - timedelta(days=today.weekday(), weeks=WEEKS - 1)
    days = {first + timedelta(days=n): Day(first + timedelta(days=n)) for n in range(7 * WEEKS)}
    for row in rows:
        day = days.get(row["day"])
        if day is not None:
            day.counts[row["state"]] += row["instants"]
            day.reasons.update(row["reasons"] or ())
    ordered = list(days.values())
    return [ordered[n : n + 7] for n in range(0, len(ordered), 7)]


@dataclass(frozen=True, slots=True)
class Gap:
    """Days in a row, of those on which anything was due, with the same worst and the same reasons."""

    first: date
    last: date
    state: str
    why: str

    @property
    def days(self) -> str:
        return f"{self.first}" if self.first == self.last else f"{self.first} to {self.last}"


def gaps(shown: Iterable[Iterable[Day]]) -> list[Gap]:
    """When not everything ran and something is known of why, the latest first."""
    due = [day for week in shown for day in week if day.counts]
    found = []
    for (state, why), stretch in groupby(due, key=lambda day: (day.state, day.why)):
        if why and state in GAPS:
            days = list(stretch)
            found.append(Gap(days[0].date, days[-1].date, state, why))
    return found[::-1]


@dataclass(frozen=True, slots=True)
class Spark:
    """One run of a sparkline: `height` of 0 to 1 by how long it took."""

    run: int
    state: str
    height: float
    title: str


def sparks(runs: Sequence[tuple[int, str, float | None, str]]) -> list[Spark]:
    """From (run, state, seconds, title), the oldest first. What did not run has no height to speak of."""
    longest = max((seconds for _, _, seconds, _ in runs if seconds), default=0.0)
    return [
        Spark(run, state, max((seconds or 0.0) / longest, 0.04) if longest else 0.04, title)
        for run, state, seconds, title in runs
    ]
