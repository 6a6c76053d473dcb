"""A table whose cells are coloured by their value. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from daemon.admin.reports.cells import known, share, told
from daemon.admin.reports.reading import Rows
from daemon.report import Heat, Report, Unit

SHADES = 9
MOST_ROWS = 40


@dataclass(frozen=True, slots=True)
class HeatCell:
    """`shade`: 0 for none to SHADES for the highest value of the table; None where nothing is known yet."""

    said: str
    shade: int | None


@dataclass(frozen=True, slots=True)
class HeatRow:
    title: str
    size: str
    cells: list[HeatCell]


@dataclass(frozen=True, slots=True)
class HeatTable:
    """`left`: rows beyond those that are drawn."""

    title: str
    size_title: str
    column_title: str
    columns: list[str]
    rows: list[HeatRow]
    left: int = 0


def heat_table(report: Report, picture: Heat, rows: Rows) -> HeatTable | None:
    """Rows in the statement's order, columns in that of their values; None without a row that has its place."""
    rows = [row for row in rows if row[picture.row] is not None and row[picture.column] is not None]
    if not rows:
        return None
    columns = sorted({row[picture.column] for row in rows})
    heads = [told(report.column(picture.column), {picture.column: value}) for value in columns]
    by_row: dict[object, dict[object, object]] = {}
    firsts: dict[object, object] = {}
    for row in rows:
        firsts.setdefault(row[picture.row], row)
        by_row.setdefault(row[picture.row], {})[row[picture.column]] = row
    highest = max((float(row[picture.value]) for row in rows if known(row[picture.value]) is not None), default=0.0)
    drawn = [
        HeatRow(
            _cell(report, picture.row, firsts[key]),
            _cell(report, picture.size, firsts[key]) if picture.size else "",
            [_heat(report, picture, of.get(column), highest) for column in columns],
        )
        for key, of in list(by_row.items())[:MOST_ROWS]
    ]
    size = report.column(picture.size).title if picture.size else ""
    titles = report.column(picture.row).title, size, report.column(picture.column).title
    return HeatTable(*titles, heads, drawn, max(0, len(by_row) - MOST_ROWS))


def _cell(report: Report, name: str, row: object) -> str:
    return told(report.column(name), row)  # type: ignore[arg-type]  # a row of the statement


def _heat(report: Report, picture: Heat, row: object, highest: float) -> HeatCell:
    value = None if row is None else known(row[picture.value])  # type: ignore[index]  # a row of the statement
    if value is None:
        return HeatCell("", None)
    said = share(value, 0) if report.column(picture.value).unit is Unit.SHARE else _cell(report, picture.value, row)
    return HeatCell(said, shade(float(value), highest))


def shade(value: float, highest: float) -> int:
    """Of 0 to SHADES; what is not zero has one at least."""
    if value <= 0 or highest <= 0:
        return 0
    return max(1, min(SHADES, round(SHADES * value / highest)))
