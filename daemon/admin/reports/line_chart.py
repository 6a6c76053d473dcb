"""Lines over time, with what is unusual marked on them. Pure: rows to shapes, in per cent of the picture."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from daemon.admin.reports import scale
from daemon.admin.reports.cells import known, told
from daemon.admin.reports.reading import Rows
from daemon.admin.reports.scale import Scale, Tick
from daemon.admin.reports.series import Named, series
from daemon.report import Column, Lines, Report, Unusual

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """`solid` and `dotted`: stretches without a gap. `alone`: values with a gap on both sides."""

    title: str
    solid: list[list[Point]]
    dotted: list[list[Point]]
    alone: list[Point]


@dataclass(frozen=True, slots=True)
class Mark:
    """A value that is unusual, and from where to where the usual ones are."""

    x: float
    y: float
    low_y: float
    high_y: float
    direction: str
    said: str


@dataclass(frozen=True, slots=True)
class Strip:
    """What is told where somebody points, from `x` on for `width`."""

    x: float
    width: float
    said: str


@dataclass(frozen=True, slots=True)
class LineChart:
    """`said`: all of it in a sentence, for whoever cannot see it."""

    lines: list[Line]
    marks: list[Mark]
    strips: list[Strip]
    across: list[Tick]
    below: list[Tick]
    said: str


def line_chart(report: Report, picture: Lines, rows: Rows) -> LineChart | None:
    """None where there is no value at all."""
    named = series(report, picture, rows)
    instants = sorted({at for one in named for at in one.rows})
    values = [value for one in named for at in one.rows if (value := one.value(at)) is not None]
    if not values:
        return None
    unusual = list(unusual_rows(picture, rows))
    bounds = [row[name] for row in unusual if picture.unusual for name in (picture.unusual.low, picture.unusual.high)]
    unit = report.column(picture.y[0]).unit
    y, across = scale.fitting([*values, *(bound for bound in bounds if bound is not None)], unit)
    x = scale.times(instants)
    where = [x.x(at) for at in instants]
    return LineChart(
        [_line(one, instants, where, y, picture) for one in named],
        [_mark(report, picture.unusual, row, x.x(row[picture.x]), y) for row in unusual if picture.unusual],
        _strips(report, picture, named, instants, where),
        across, scale.date_ticks(instants, report.column(picture.x).unit, where),
        _said(report, named, instants, len(unusual)),
    )  # fmt: skip


def _line(one: Named, instants: Sequence[date], where: Sequence[float], y: Scale, picture: Lines) -> Line:
    solid: list[list[Point]] = []
    dotted: list[list[Point]] = []
    run: list[Point] = []
    for at, x in zip(instants, where, strict=True):
        value = one.value(at)
        if value is None:
            _end(run, solid)
            run = []
            continue
        point = (x, y.y(value))
        if run and picture.so_far is not None and one.rows[at][picture.so_far]:
            dotted.append([run[-1], point])
            _end(run, solid)
            run = [point]
        else:
            run.append(point)
    _end(run, solid)
    drawn = {point for stretch in (*solid, *dotted) if len(stretch) > 1 for point in stretch}
    alone = [stretch[0] for stretch in solid if len(stretch) == 1 and stretch[0] not in drawn]
    return Line(one.title, [stretch for stretch in solid if len(stretch) > 1], dotted, alone)


def _end(run: list[Point], stretches: list[list[Point]]) -> None:
    if run:
        stretches.append(run)


def unusual_rows(picture: Lines, rows: Rows) -> Iterator[Any]:
    """Those that are marked."""
    if picture.unusual is None:
        return
    for row in rows:
        judged = row[picture.unusual.direction] is not None and known(row[picture.unusual.of]) is not None
        if judged and row[picture.x] is not None:
            yield row


def _mark(report: Report, unusual: Unusual, row: Any, x: float, y: Scale) -> Mark:
    value = y.y(row[unusual.of])
    low, high = (value if row[name] is None else y.y(row[name]) for name in (unusual.low, unusual.high))
    return Mark(x, value, low, high, str(row[unusual.direction]), told_unusual(report, row))


def told_unusual(report: Report, row: Any) -> str:
    """`2026-11-22: Today 431, unusually high; usual: 120 to 260`, with the series where there are several."""
    picture = report.picture
    assert isinstance(picture, Lines)
    assert picture.unusual is not None
    unusual = picture.unusual

    def cell(name: str) -> str:
        return told(report.column(name), row)

    who = str(row[picture.by]) if picture.by is not None else report.column(unusual.of).title
    usual = "" if row[unusual.low] is None else f"; usual: {cell(unusual.low)} to {cell(unusual.high)}"
    return f"{cell(picture.x)}: {who} {cell(unusual.of)}, unusually {row[unusual.direction]}{usual}"


def _strips(
    report: Report, picture: Lines, named: Sequence[Named], instants: Sequence[date], where: Sequence[float]
) -> list[Strip]:
    time = report.column(picture.x)
    ends = [0.0, *((a + b) / 2 for a, b in itertools.pairwise(where)), 100.0]
    return [
        Strip(round(left, 3), round(right - left, 3), _told_at(report, time, picture, named, at))
        for at, left, right in zip(instants, ends, ends[1:], strict=False)
    ]


def _told_at(report: Report, time: Column, picture: Lines, named: Sequence[Named], at: date) -> str:
    figures = "; ".join(_figure(report, one, at) for one in named if at in one.rows)
    return f"{told(time, {picture.x: at})}: {figures}"


def _figure(report: Report, one: Named, at: date) -> str:
    return f"{one.title} {told(report.column(one.column), one.rows[at])}"


def _said(report: Report, named: Sequence[Named], instants: Sequence[date], unusual: int) -> str:
    """`3 lines, 2026-10-26 to 2026-11-22; the last: Day 412, …; 2 unusual`."""
    ends = "; ".join(_figure(report, one, max(one.rows)) for one in named)
    said = f"{len(named)} line{'s' if len(named) > 1 else ''} from {instants[0]} to {instants[-1]}; at the end: {ends}"
    return f"{said}; {unusual} unusual" if unusual else said
