"""How answers look: JSON for machines, aligned columns for people, colour on a terminal only."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo

STYLES = {
    "succeeded": "green", "alive": "green", "ready": "green", "running": "cyan", "waiting": "blue",
    "failed": "bold red", "dead": "bold red", "held": "yellow", "missed": "yellow", "paused": "yellow",
    "skipped": "dim", "cancelled": "dim", "disabled": "dim",
}  # fmt: skip
NOTHING = "–"


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


def duration(seconds: float | timedelta | None) -> str:
    """`14 ms`, `1.5 s`, `3 min 20 s`, `2 h 5 min`, `4 d 3 h`."""
    if seconds is None:
        return NOTHING
    total = seconds.total_seconds() if isinstance(seconds, timedelta) else seconds
    if total < 1:
        return f"{total * 1000:.3g} ms"
    if total < 60:
        return f"{total:.3g} s"
    whole = round(total)
    for size, unit, rest_size, rest_unit in ((86400, "d", 3600, "h"), (3600, "h", 60, "min")):
        if whole >= size:
            count, rest = divmod(whole, size)
            return f"{count} {unit}" + (f" {rest // rest_size} {rest_unit}" if rest >= rest_size else "")
    return f"{whole // 60} min" + (f" {whole % 60} s" if whole % 60 else "")


def iso(at: datetime | None, zone: tzinfo = UTC) -> str | None:
    """ISO 8601 with its offset, in `zone`."""
    return None if at is None else at.astimezone(zone).isoformat()


def moment(at: datetime | None, zone: tzinfo = UTC) -> str:
    """`2026-11-22 15:30:00 CET`, for people."""
    if at is None:
        return NOTHING
    local = at.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M:%S} {local.tzname() or ''}".rstrip()


def listed(items: Sequence[object]) -> str:
    return ", ".join(str(item) for item in items)
