"""Which picture a report has, drawn from its rows. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from daemon.admin.reports.bar_chart import BarChart, bar_chart
from daemon.admin.reports.gauges import Gauge, gauges
from daemon.admin.reports.heat_table import HeatTable, heat_table
from daemon.admin.reports.line_chart import LineChart, line_chart, told_unusual, unusual_rows
from daemon.admin.reports.reading import Rows
from daemon.admin.reports.series import apart
from daemon.report import Bars, Gauges, Heat, Lines, Report

MOST_UNUSUAL = 5


@dataclass(frozen=True, slots=True)
class Drawing:
    """Pictures by what sets them apart, such as a currency. `unusual`: in words, the last ones first."""

    lines: list[tuple[str, LineChart]] = field(default_factory=list)
    bars: list[tuple[str, BarChart]] = field(default_factory=list)
    heat: HeatTable | None = None
    gauges: list[Gauge] = field(default_factory=list)
    unusual: list[str] = field(default_factory=list)
    unusual_left: int = 0


def drawn(report: Report, rows: Rows) -> Drawing:
    """Nothing for a report without a picture or without rows."""
    match report.picture:
        case Lines() as picture:
            charts = [(name, line_chart(report, picture, of)) for name, of in apart(picture, rows)]
            said = _unusual(report, picture, rows)
            return Drawing(
                lines=[(name, chart) for name, chart in charts if chart], unusual=said[:MOST_UNUSUAL],
                unusual_left=max(0, len(said) - MOST_UNUSUAL),
            )  # fmt: skip
        case Bars() as picture:
            found = [(name, bar_chart(report, picture, of)) for name, of in apart(picture, rows)]
            return Drawing(bars=[(name, chart) for name, chart in found if chart])
        case Heat() as picture:
            return Drawing(heat=heat_table(report, picture, rows))
        case Gauges() as picture:
            return Drawing(gauges=gauges(report, picture, rows))
        case None:
            return Drawing()


def _unusual(report: Report, picture: Lines, rows: Rows) -> list[str]:
    marked = sorted(unusual_rows(picture, rows), key=lambda row: row[picture.x], reverse=True)
    return [told_unusual(report, row) for row in marked]
