"""What a suite says about its reports: title, columns with their units, a picture, and the statement that reads them.

Values alone, in the suite's `reports.py`. The admin reads the rows, draws the picture, writes table, CSV and JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from daemon.sql import Statement

USUAL_DAYS = 28


class Unit(StrEnum):
    """What a column's values are, which decides how they are written. A null is "not known", never zero."""

    TEXT = "text"
    DAY = "day"
    """A `date`."""
    MONTH = "month"
    """A `date`, the first of it."""
    INSTANT = "instant"
    """A `timestamptz`."""
    COUNT = "count"
    """A whole number."""
    NUMBER = "number"
    SHARE = "share"
    """0 to 1, shown as per cent."""
    MONEY = "money"
    """`numeric`; shown in the places of its currency, and never with fewer than it has."""
    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    BYTES = "bytes"
    YES_NO = "yes_no"


DATES = frozenset({Unit.DAY, Unit.MONTH})
TIMES = DATES | {Unit.INSTANT}
FIGURES = frozenset({Unit.COUNT, Unit.NUMBER, Unit.SHARE, Unit.MONEY, Unit.SECONDS, Unit.MILLISECONDS, Unit.BYTES})


@dataclass(frozen=True, slots=True)
class Column:
    """`name` as the statement gives it. `currency`: the column with the ISO 4217 code of an amount's currency."""

    name: str
    title: str
    unit: Unit = Unit.TEXT
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Unusual:
    """Columns that say which values of column `of` are unusual: `direction` is high, low or null; the usual ones are
    from `low` to `high`."""

    of: str
    direction: str
    low: str
    high: str


@dataclass(frozen=True, slots=True)
class Lines:
    """A line for each of `y`, or one for each value of column `by`, over `x`, a column of time. A null is a gap.

    `apart`: a column, such as a currency, whose values cannot share a scale: a picture each. `so_far`: a column of
    YES_NO for what is not over yet; the way to it is dotted.
    """

    x: str
    y: tuple[str, ...]
    by: str | None = None
    apart: str | None = None
    unusual: Unusual | None = None
    so_far: str | None = None


@dataclass(frozen=True, slots=True)
class Bars:
    """A bar for each `x`, in which those of `y`, or the values of column `by`, stand on one another. `alarming`: which
    of `y` have the colour of what is wrong."""

    x: str
    y: tuple[str, ...]
    by: str | None = None
    apart: str | None = None
    alarming: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Heat:
    """A table of `row` and `column`, in which `value` is a colour as well; `size` says how many a row is about."""

    row: str
    column: str
    value: str
    size: str | None = None


@dataclass(frozen=True, slots=True)
class Gauges:
    """A gauge for each row, as full as `value`, a SHARE, says; named by the columns of `label`."""

    label: tuple[str, ...]
    value: str


Picture = Lines | Bars | Heat | Gauges


@dataclass(frozen=True, slots=True)
class Report:
    """One report. Its name is the one it is assigned to in `reports.py`.

    `statement` sees the suite's schema and can only read. Its parameters: $1 and $2, the first and the last day asked
    for, then the suite's `settings` of these names. `days`: how many there are where nobody asks for a range; None: the
    report is of things as they are now, and has no such parameters. `made_by`: the job of the suite that writes what
    the report reads; while there is nothing, the page says when it is due. Raises `ValueError`.
    """

    title: str
    about: str
    statement: Statement
    made_by: str
    columns: tuple[Column, ...]
    picture: Picture | None = None
    days: int | None = USUAL_DAYS
    settings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if wrong := [*self._wrong_columns(), *self._wrong_picture()]:
            raise ValueError(f"Report({self.title!r}): {'; '.join(wrong)}")

    def column(self, name: str) -> Column:
        """Raises `KeyError`."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def _wrong_columns(self) -> Iterator[str]:
        names = [column.name for column in self.columns]
        if not names:
            yield "it has no columns"
        if twice := sorted({name for name in names if names.count(name) > 1}):
            yield f"two columns are called {', '.join(twice)}"
        for column in self.columns:
            if (column.unit is Unit.MONEY) != (column.currency is not None):
                yield f"column {column.name}: MONEY, and nothing else, names the column of its currency"
            elif column.currency is not None and column.currency not in names:
                yield f"column {column.name}: there is no column {column.currency}"
        if self.days is not None and self.days < 1:
            yield "days: at least 1, or None for things as they are now"

    def _wrong_picture(self) -> Iterator[str]:
        known = {column.name: column.unit for column in self.columns}
        for name, units in _needed(self.picture):
            if name not in known:
                yield f"its picture needs a column {name}"
            elif units and known[name] not in units:
                yield f"its picture cannot have {name} as {known[name]}"
        if isinstance(self.picture, Lines | Bars):
            if self.picture.by is not None and len(self.picture.y) != 1:
                yield "its picture is of one column where `by` tells its series"
            if len({known[name] for name in self.picture.y if name in known}) > 1:
                yield "its picture has one scale, so its columns have one unit"


def _needed(picture: Picture | None) -> Iterator[tuple[str, Iterable[Unit]]]:
    """Each column that a picture is drawn from, with the units it may have; none for any."""
    match picture:
        case Lines() | Bars():
            yield picture.x, TIMES
            yield from ((name, FIGURES) for name in picture.y)
            yield from ((name, (Unit.TEXT,)) for name in (picture.by, picture.apart) if name is not None)
            if isinstance(picture, Lines):
                yield from _needed_of_lines(picture)
            else:
                yield from ((name, FIGURES) for name in picture.alarming)
        case Heat():
            yield from ((picture.row, ()), (picture.column, ()), (picture.value, FIGURES))
            if picture.size is not None:
                yield picture.size, FIGURES
        case Gauges():
            yield from ((name, ()) for name in picture.label)
            yield picture.value, (Unit.SHARE,)


def _needed_of_lines(picture: Lines) -> Iterator[tuple[str, Iterable[Unit]]]:
    if picture.so_far is not None:
        yield picture.so_far, (Unit.YES_NO,)
    if (unusual := picture.unusual) is not None:
        yield from ((unusual.of, FIGURES), (unusual.direction, (Unit.TEXT,)))
        yield from ((name, FIGURES) for name in (unusual.low, unusual.high))
