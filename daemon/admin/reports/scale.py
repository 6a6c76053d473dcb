"""Where a value stands on an axis, in per cent, and what the axis says. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from daemon import in_words
from daemon.admin.reports.cells import share
from daemon.report import Unit

STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
MOST_STEPS = 4
MOST_DATES = 5
SMALLEST = 1e-12
"""What differs by less is drawn as the same."""
MARGIN = 1.5
"""Per cent left free at either side of an axis of time, so that no mark is cut off."""
POWERS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


@dataclass(frozen=True, slots=True)
class Tick:
    """`at`: per cent of the picture from its left or its top. `text`: what stands there."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Scale:
    """From `low`, at the bottom, to `high`, at the top."""

    low: float
    high: float

    def y(self, value: Decimal | float) -> float:
        """Per cent from the top; within the picture for what is within the scale."""
        return round(100 * (self.high - float(value)) / (self.high - self.low), 3)


def fitting(values: Iterable[Decimal | float], unit: Unit) -> tuple[Scale, list[Tick]]:
    """A scale with zero on it, ends at round numbers, and the lines to draw across, at most six."""
    numbers = [float(value) for value in values]
    low, high = min([0.0, *numbers]), max([0.0, *numbers])
    if high - low < SMALLEST:
        high = low + 1.0
    step = step_for(high - low, whole=unit is Unit.COUNT)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    scale = Scale(first * step, last * step)
    return scale, [Tick(scale.y(n * step), said(n * step, unit, step)) for n in range(first, last + 1)]


def step_for(span: float, *, whole: bool) -> float:
    """The smallest of 1, 2, 2.5 and 5 times a power of ten of which four reach `span`, which is above 0."""
    power = 10.0 ** math.floor(math.log10(span / MOST_STEPS))
    step = next(factor * power for factor in STEPS if factor * power * MOST_STEPS >= span * (1 - 1e-9))
    return max(1.0, math.ceil(step)) if whole else step


def said(value: float, unit: Unit, step: float) -> str:
    """Short: 1.5 M, 40 %, 2 min."""
    if unit is Unit.SHARE:
        return share(value, 0 if step >= 0.01 else 1)
    if unit is Unit.BYTES:
        return f"{shortened(value)}B" if abs(value) >= 1000 else f"{value:g} B"
    if unit is Unit.SECONDS:
        return in_words.duration(value) if value else "0"
    short = shortened(value)
    return f"{short} ms" if unit is Unit.MILLISECONDS and value else short


def shortened(value: float) -> str:
    """1250000 is 1.25 M."""
    for power, letter in POWERS:
        if abs(value) >= power:
            return f"{value / power:.4g} {letter}"
    return f"{value:.4g}"


@dataclass(frozen=True, slots=True)
class Times:
    """An axis of time, from `first` at the left to `last` at the right."""

    first: float
    last: float

    def x(self, at: date) -> float:
        """Per cent from the left; the middle where there is one instant only."""
        if self.last == self.first:
            return 50.0
        return round(MARGIN + (100 - 2 * MARGIN) * (number(at) - self.first) / (self.last - self.first), 3)


def times(instants: Sequence[date]) -> Times:
    """`instants`: at least one, in order."""
    return Times(number(instants[0]), number(instants[-1]))


def number(at: date) -> float:
    """Days, so that dates and instants share an axis."""
    if isinstance(at, datetime):
        return at.timestamp() / 86400
    return float((at - date(1970, 1, 1)).days)


def dates(instants: Sequence[date], unit: Unit) -> list[date]:
    """Those that the axis names: the first, the last, and a few between them at about equal distances."""
    if len(instants) <= MOST_DATES:
        return list(instants)
    last = len(instants) - 1
    return [instants[round(n * last / (MOST_DATES - 1))] for n in range(MOST_DATES)]


def short_date(at: date, unit: Unit, *, with_year: bool) -> str:
    """22 Nov, Nov 2026; the year where there is more than one."""
    if unit is Unit.MONTH:
        return f"{at:%b %Y}"
    return f"{at.day} {at:%b}" + (f" {at:%Y}" if with_year else "")


def date_ticks(instants: Sequence[date], unit: Unit, where: Iterable[float]) -> list[Tick]:
    """The names under `instants`, which stand at `where`."""
    wanted = dict.fromkeys(dates(instants, unit))
    several = instants[-1] - instants[0] > timedelta(days=300)
    return [
        Tick(at, short_date(instant, unit, with_year=several))
        for instant, at in zip(instants, where, strict=True) if instant in wanted
    ]  # fmt: skip
