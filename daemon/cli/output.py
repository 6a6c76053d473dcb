"""How answers look: JSON for machines, aligned columns for people, colour on a terminal only."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

STYLES = {
    "succeeded": "green", "alive": "green", "ready": "green", "running": "cyan", "waiting": "blue",
    "failed": "bold red", "dead": "bold red", "held": "yellow", "missed": "yellow", "paused": "yellow",
    "skipped": "dim", "cancelled": "dim", "disabled": "dim",
}  # fmt: skip


Found = TypeVar("Found")


def print_json(value: object) -> None:
    """Keys in the order they were put in; two spaces a level, so that a person can read it too."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def warn(text: str) -> None:
    print(f"warning: {text}", file=sys.stderr)


def note(text: str) -> None:
    """Something worth knowing that is not the answer: standard error, so that pipes stay clean."""
    print(text, file=sys.stderr)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Aligned columns. On a terminal long cells are wrapped to its width; elsewhere a row is a line."""
    if sys.stdout.isatty():
        _rich_table(headings, rows)
        return
    widths = [max(len(cell) for cell in column) for column in zip(headings, *rows, strict=True)]
    for row in [headings, *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def listing(
    found: Sequence[Found], described: Callable[[Found], object], headings: Sequence[str],
    row: Callable[[Found], Sequence[str]], *, as_json: bool, none: str,
) -> None:  # fmt: skip
    """What was found: as JSON, each by `described`, or a line each by `row`; `none` is said to a person of nothing."""
    if as_json:
        print_json([described(each) for each in found])
    elif found:
        table(headings, [row(each) for each in found])
    else:
        note(none)


def _rich_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console  # only where a person looks: it costs 60 ms
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in headings:
        drawn.add_column(heading, overflow="fold", no_wrap=heading in ("run", "id", "state"))
    for row in rows:
        drawn.add_row(*(Text(cell, style=STYLES.get(cell.partition(" ")[0], "")) for cell in row))
    Console(highlight=False).print(drawn)


def listed(items: Sequence[object]) -> str:
    return ", ".join(str(item) for item in items)
