"""Bars over time, whose parts stand on one another. Pure: rows to shapes, in per cent of the picture."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from daemon.admin.reports import scale
from daemon.admin.reports.cells import told
from daemon.admin.reports.reading import Rows
from daemon.admin.reports.scale import Scale, Tick
from daemon.admin.reports.series import Named, series
from daemon.report import Bars, Report

FULL = 0.72
"""Of the room that a bar has to itself, how much it takes."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a bar. `look`: the class of its series."""

    look: str
    x: float
    y: float
    width: float
    height: float
    said: str


@dataclass(frozen=True, slots=True)
class BarChart:
    """`series`: the look of each, and what it is called. `zero`: where nothing is. `said`: all of it in a sentence, for
    whoever cannot see it."""

    series: list[tuple[str, str]]
    parts: list[Part]
    zero: float
    across: list[Tick]
    below: list[Tick]
    said: str


def bar_chart(report: Report, picture: Bars, rows: Rows) -> BarChart | None:
    """None where there is no value at all."""
    named = series(report, picture, rows)
    instants = sorted({at for one in named for at in one.rows})
    if not any(one.value(at) is not None for one in named for at in instants):
        return None
    y, across = scale.fitting(_ends(named, instants), report.column(picture.y[0]).unit)
    slot, lefts = slots(instants)
    width = round(slot * FULL, 3)
    parts = [
        part for at, left in zip(instants, lefts, strict=True)
        for part in _bar(report, picture, named, at, left + (slot - width) / 2, width, y)
    ]  # fmt: skip
    below = scale.date_ticks(instants, report.column(picture.x).unit, [round(left + slot / 2, 3) for left in lefts])
    looks = [(_look(picture, number, one), one.title) for number, one in enumerate(named)]
    return BarChart(looks, parts, y.y(0), across, below, _said(report, named, instants))


def _look(picture: Bars, number: int, one: Named) -> str:
    return "alarming" if one.column in picture.alarming else f"s{number}"


def slots(instants: Sequence[date]) -> tuple[float, list[float]]:
    """How wide the room of a bar is, and where each begins: the nearest two times are neighbours, gaps stay gaps.

    `instants`: at least one, in order. Months differ in length: what is nearer than the room is wide stands beside.
    """
    numbers = [scale.number(at) for at in instants]
    nearest = min((b - a for a, b in itertools.pairwise(numbers)), default=1.0)
    count = (numbers[-1] - numbers[0]) / nearest + 1
    width = 100 / count
    return width, [width * (n - numbers[0]) / nearest for n in numbers]


def _ends(named: Sequence[Named], instants: Sequence[date]) -> list[float]:
    """The tops and bottoms of all bars."""
    found = []
    for at in instants:
        values = [float(one.value(at) or 0) for one in named]
        found += [sum(v for v in values if v > 0), sum(v for v in values if v < 0)]
    return found


def _bar(
    report: Report, picture: Bars, named: Sequence[Named], at: date, x: float, width: float, y: Scale
) -> list[Part]:
    """Upwards from zero what is more than nothing, downwards what is less."""
    parts, top, bottom = [], 0.0, 0.0
    time = told(report.column(picture.x), {picture.x: at})
    for number, one in enumerate(named):
        value = float(one.value(at) or 0)
        if value == 0:
            continue
        begins, ends = (top, top + value) if value > 0 else (bottom, bottom + value)
        top, bottom = (ends, bottom) if value > 0 else (top, ends)
        upper, lower = y.y(max(begins, ends)), y.y(min(begins, ends))
        said = f"{time}: {one.title} {told(report.column(one.column), one.rows[at])}"
        parts.append(Part(_look(picture, number, one), round(x, 3), upper, width, round(lower - upper, 3), said))
    return parts


def _said(report: Report, named: Sequence[Named], instants: Sequence[date]) -> str:
    last = instants[-1]
    ends = "; ".join(
        f"{one.title} {told(report.column(one.column), one.rows[last])}" for one in named if last in one.rows
    )
    return f"{len(instants)} bar{'s' if len(instants) > 1 else ''} from {instants[0]} to {last}; the last: {ends}"
