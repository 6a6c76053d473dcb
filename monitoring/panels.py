"""Grafana's JSON for panels, rows and variables, from a few words. The schema is that of Grafana 10."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

SCHEMA = 39
WIDE = 24
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
GREEN, YELLOW, RED, BLUE, GREY = "green", "yellow", "red", "blue", "#808080"

Steps = tuple[tuple[float | None, str], ...]
"""From this value on (None: from the beginning) in this colour."""
CALM: Steps = ((None, BLUE),)


@dataclass(frozen=True, slots=True)
class Query:
    """A PromQL expression and what its series are called; `instant`: one value now, for stats and tables."""

    expression: str
    legend: str = ""
    instant: bool = False

    def json(self, letter: str, *, table: bool) -> dict[str, Any]:
        return {
            "refId": letter, "datasource": SOURCE, "expr": self.expression, "legendFormat": self.legend or "__auto",
            "instant": self.instant, "range": not self.instant, "format": "table" if table else "time_series",
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Panel:
    """`kind`: Grafana's name of it. `text` is the description shown beside the title. `unit`: Grafana's id.

    `columns` names the queries of a table; `words` shows numbers as a text and a colour.
    """

    kind: str
    title: str
    text: str
    queries: Sequence[Query]
    unit: str = "short"
    steps: Steps = CALM
    width: int = 8
    height: int = 8
    stacked: bool = False
    lowest: float | None = 0
    columns: Sequence[tuple[str, str, Steps]] = ()
    words: dict[str, tuple[str, str]] = field(default_factory=dict)

    def json(self, number: int, x: int, y: int) -> dict[str, Any]:
        table = self.kind == "table"
        made = {
            "id": number, "type": self.kind, "title": self.title, "description": self.text, "datasource": SOURCE,
            "gridPos": {"h": self.height, "w": self.width, "x": x, "y": y},
            "targets": [q.json(chr(ord("A") + n), table=table) for n, q in enumerate(self.queries)],
            "fieldConfig": {"defaults": self._defaults(), "overrides": self._overrides()},
            "options": _options(self.kind),
        }  # fmt: skip
        return made | ({"transformations": self._transformations()} if table else {})

    def _defaults(self) -> dict[str, Any]:
        found: dict[str, Any] = {"unit": self.unit, "thresholds": _thresholds(self.steps), "mappings": self._mappings()}
        if self.lowest is not None:
            found["min"] = self.lowest
        found["color"] = {"mode": "palette-classic" if self.kind == "timeseries" else "thresholds"}
        if self.kind == "timeseries":
            found["custom"] = {
                "lineWidth": 1, "fillOpacity": 25 if self.stacked else 5, "showPoints": "never", "spanNulls": False,
                "stacking": {"mode": "normal" if self.stacked else "none", "group": "A"},
                "thresholdsStyle": {"mode": "dashed" if self.steps != CALM else "off"},
            }  # fmt: skip
        return found

    def _mappings(self) -> list[dict[str, Any]]:
        if not self.words:
            return []
        options = {value: {"text": text, "color": color} for value, (text, color) in self.words.items()}
        return [{"type": "value", "options": options}]

    def _overrides(self) -> list[dict[str, Any]]:
        return [
            {
                "matcher": {"id": "byName", "options": name},
                "properties": [
                    {"id": "unit", "value": unit},
                    {"id": "thresholds", "value": _thresholds(steps)},
                    {"id": "custom.cellOptions", "value": {"type": "color-text"}},
                ],
            }
            for name, unit, steps in self.columns
        ]

    def _transformations(self) -> list[dict[str, Any]]:
        """The queries' answers side by side, a row for each set of labels."""
        names = {f"Value #{chr(ord('A') + n)}": name for n, (name, _, _) in enumerate(self.columns)}
        return [
            {"id": "merge", "options": {}},
            {"id": "organize", "options": {"excludeByName": {"Time": True}, "renameByName": names}},
        ]


@dataclass(frozen=True, slots=True)
class Row:
    """A heading, and the panels under it, laid out from left to right."""

    title: str
    panels: Sequence[Panel]


def laid_out(rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    """Rows and panels with their places on Grafana's grid of 24 columns, and numbers of their own."""
    number, y = 1, 0
    for row in rows:
        place = {"h": 1, "w": WIDE, "x": 0, "y": y}
        yield {"id": number, "type": "row", "title": row.title, "collapsed": False, "panels": [], "gridPos": place}
        number, y = number + 1, y + 1
        x, lowest = 0, 0
        for panel in row.panels:
            if x + panel.width > WIDE:
                x, y, lowest = 0, y + lowest, 0
            yield panel.json(number, x, y)
            number, x, lowest = number + 1, x + panel.width, max(lowest, panel.height)
        y += lowest


def variable(name: str, label: str, query: str) -> dict[str, Any]:
    """A choice of label values, one, some or all of them."""
    return {
        "type": "query", "name": name, "label": label, "datasource": SOURCE, "definition": query,
        "query": {"query": query, "refId": name}, "refresh": 2, "sort": 1, "multi": True, "includeAll": True,
        "allValue": ".*", "current": {"selected": True, "text": ["All"], "value": ["$__all"]}, "hide": 0,
    }  # fmt: skip


def _thresholds(steps: Steps) -> dict[str, Any]:
    return {"mode": "absolute", "steps": [{"value": value, "color": color} for value, color in steps]}


def _options(kind: str) -> dict[str, Any]:
    reduced = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    match kind:
        case "stat":
            return {"reduceOptions": reduced, "colorMode": "background", "graphMode": "none", "textMode": "value"}
        case "table":
            return {"showHeader": True, "cellHeight": "sm"}
        case "state-timeline":
            return {"mergeValues": True, "showValue": "auto", "legend": {"showLegend": False}}
        case _:
            legend = {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}
            return {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}
