"""What a bench found, as a table for people and as JSON for machines."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Target:
    """A promise of the issue and what was measured of it. `at_least` False: it is an upper bound."""

    name: str
    value: float
    bound: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        return self.value >= self.bound if self.at_least else self.value <= self.bound


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    note: str = ""


@dataclass
class Result:
    """`figures` is everything in plain values; tables show the medians of it."""

    name: str
    tables: list[Table] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)


def number(value: object) -> str:
    """Three significant digits are what a noisy machine can say."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def print_table(table: Table) -> None:
    cells = [[str(c) for c in table.columns], *[[number(c) for c in row] for row in table.rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(table.columns))]
    print(f"\n{table.title}")
    for n, row in enumerate(cells):
        first, rest = row[0].ljust(widths[0]), [c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True)]
        print("  " + "  ".join([first, *rest]).rstrip())
        if n == 0:
            print("  " + "  ".join("-" * w for w in widths))
    if table.note:
        print(f"  {table.note}")


def publish(result: Result, machine: Mapping[str, object], folder: Path, *, took: float, load: Sequence[float]) -> Path:
    """Print it, and write `NAME.json` into the folder. Returns the file."""
    print(f"\n== {result.name} ==")
    m = machine
    print(f"{m['cores']} cores, {m['cpu']}, Python {m['python']}, PostgreSQL {m['postgresql']}, Linux {m['kernel']};")
    print(f"load {load[0]:.1f} before, {load[1]:.1f} after; {took:.0f} s")
    for table in result.tables:
        print_table(table)
    print()
    for t in result.targets:
        sign = "≥" if t.at_least else "≤"
        print(f"  {'met   ' if t.met else 'MISSED'}  {t.name}: {number(t.value)} (target {sign} {number(t.bound)})")
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{result.name}.json"
    file.write_text(json.dumps(as_json(result, machine, took, load), indent=1, ensure_ascii=False) + "\n")
    return file


def as_json(result: Result, machine: Mapping[str, object], took: float, load: Sequence[float]) -> dict[str, Any]:
    return {
        "bench": result.name,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": dict(machine),
        "load": list(load),
        "took_s": round(took, 1),
        "targets": [
            {"name": t.name, "value": t.value, "bound": t.bound, "at_least": t.at_least, "met": t.met}
            for t in result.targets
        ],
        "tables": [
            {"title": t.title, "columns": list(t.columns), "rows": [list(r) for r in t.rows], "note": t.note}
            for t in result.tables
        ],
        "figures": result.figures,
    }


class Progress:
    """One line that says what is going on; on a terminal it is rewritten in place."""

    def __init__(self, name: str) -> None:
        self._name, self._begun = name, time.monotonic()
        self._terminal = sys.stderr.isatty()

    def __call__(self, text: str) -> None:
        line = f"[{self._name} {time.monotonic() - self._begun:5.0f} s] {text}"
        print(f"\r\033[K{line}" if self._terminal else line, end="" if self._terminal else "\n", file=sys.stderr)
        sys.stderr.flush()

    def done(self) -> None:
        if self._terminal:
            print("\r\033[K", end="", file=sys.stderr)
