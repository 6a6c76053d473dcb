"""The rows of a picture with axes, taken apart: pictures that stand apart, and the series within one. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from daemon.admin.reports.cells import known
from daemon.admin.reports.reading import Rows
from daemon.report import Bars, Lines, Report

MOST_APART, MOST_SERIES = 4, 6
LARGEST = 1e100


@dataclass(frozen=True, slots=True)
class Named:
    """One series: for each time the row it is from. `column` is the row's with the value."""

    title: str
    column: str
    rows: Mapping[date, Mapping[str, Any]]

    def value(self, at: date) -> Any:
        """None where nothing is known, and for what is too large to be drawn."""
        row = self.rows.get(at)
        value = None if row is None else known(row[self.column])
        return value if value is not None and abs(float(value)) < LARGEST else None


def apart(picture: Lines | Bars, rows: Rows) -> list[tuple[str, Rows]]:
    """The pictures that do not share a scale, by what sets them apart; those with the most rows, at most four."""
    if picture.apart is None:
        return [("", rows)] if rows else []
    often = Counter(str(row[picture.apart]) for row in rows if row[picture.apart] is not None)
    most = [name for name, _ in often.most_common(MOST_APART)]
    return [(name, [row for row in rows if str(row[picture.apart]) == name]) for name in most]


def series(report: Report, picture: Lines | Bars, rows: Rows) -> list[Named]:
    """A series for each column of `y` or value of `by`, the largest first and at most six; of bars, which stand on one
    another, the last of them is all others added up. Rows without a time are nowhere; of two rows for one time the last
    counts."""
    placed = [row for row in rows if row[picture.x] is not None]
    if picture.by is None:
        at = {row[picture.x]: row for row in placed}
        found = [Named(report.column(name).title, name, at) for name in picture.y]
        return [one for one in found if any(one.value(time) is not None for time in at)]
    by: dict[str, dict[date, Mapping[str, Any]]] = {}
    for row in placed:
        by.setdefault(str(row[picture.by]), {})[row[picture.x]] = row
    found = [Named(name, picture.y[0], of) for name, of in by.items()]
    ranked = sorted(found, key=lambda one: -sum(float(one.value(at) or 0) for at in one.rows))
    if isinstance(picture, Lines) or len(ranked) <= MOST_SERIES:
        return ranked[:MOST_SERIES]
    return [*ranked[: MOST_SERIES - 1], _others(ranked[MOST_SERIES - 1 :], picture.y[0])]


def _others(ones: Sequence[Named], column: str) -> Named:
    added: dict[date, Mapping[str, Any]] = {}
    for one in ones:
        for at, row in one.rows.items():
            value = one.value(at)
            if value is not None:
                added[at] = {**row, column: value + added[at][column] if at in added else value}
    return Named(f"{len(ones)} others", column, added)
