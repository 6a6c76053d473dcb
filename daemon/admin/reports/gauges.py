"""How full things are, a gauge each. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from daemon.admin.reports.cells import known, told
from daemon.admin.reports.reading import Rows
from daemon.report import Gauges, Report

MOST = 40


@dataclass(frozen=True, slots=True)
class Gauge:
    """`full`: 0 to 1, None where nothing is known."""

    label: str
    full: float | None
    said: str


def gauges(report: Report, picture: Gauges, rows: Rows) -> list[Gauge]:
    """In the statement's order, at most 40: the rest is in the table."""
    found = []
    for row in rows[:MOST]:
        value = known(row[picture.value])
        label = ", ".join(told(report.column(name), row) for name in picture.label)
        full = None if value is None else min(1.0, max(0.0, float(value)))
        found.append(Gauge(label, full, told(report.column(picture.value), row)))
    return found
