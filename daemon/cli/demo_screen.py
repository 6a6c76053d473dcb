"""What a person sees of the demo: live bars on a terminal, plain lines in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal

PLAIN_EVERY = 2.0


class Screen:
    """Bars by name, created when first reported; rich draws them only where somebody watches."""

    def __init__(self) -> None:
        self._progress: Any = None
        self._bars: dict[str, Any] = {}
        self._said: dict[str, tuple[float, float]] = {}
        if sys.stdout.isatty():
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

            self._progress = Progress(
                TextColumn("{task.description:<34}"), BarColumn(40), MofNCompleteColumn(), TimeElapsedColumn()
            )
            self._progress.start()

    def close(self) -> None:
        if self._progress is not None:
            self._progress.stop()

    def say(self, text: str) -> None:
        if self._progress is not None:
            self._progress.console.print(text, highlight=False)
        else:
            print(text, flush=True)

    def loading(self, what: str, done: int, total: int) -> None:
        self.working(f"loading {what}", done, total)

    def loaded(self, counts: Mapping[str, int]) -> None:
        new = {name: n for name, n in counts.items() if n}
        text = ", ".join(f"{n:,} {name}" for name, n in new.items())
        self.say(f"sample data: {text} new" if new else "sample data: all there already")

    def working(self, what: str, done: float, total: float) -> None:
        """Done of total; not shown before there is something done."""
        if done <= 0 and what not in self._bars and what not in self._said:
            return
        if self._progress is not None:
            if what not in self._bars:
                self._bars[what] = self._progress.add_task(what, total=total)
            self._progress.update(self._bars[what], completed=done, total=total)
            return
        at, before = self._said.get(what, (0.0, -1.0))
        finished = done >= total and before != done
        if before != done and (finished or time.monotonic() - at >= PLAIN_EVERY):
            self._said[what] = (time.monotonic(), done)
            print(f"{what}: {done:,.0f} of {total:,.0f}", flush=True)

    def table(self, title: str, rows: Sequence[Mapping[str, Any]]) -> None:
        if not rows:
            return
        from rich.console import Console
        from rich.table import Table

        console = self._progress.console if self._progress is not None else Console(width=110)
        table = Table(title=title, title_justify="left", title_style="bold")
        lines = [[_shown(value) for value in row.values()] for row in rows]
        for name, value, cells in zip(rows[0], rows[0].values(), zip(*lines, strict=True), strict=True):
            whole = not any(" " in cell for cell in cells)  # numbers and the like: what is narrow folds the words
            justify: Literal["left", "right"] = "left" if isinstance(value, str) else "right"
            table.add_column(name.replace("_", " "), justify=justify, no_wrap=whole, overflow="fold")
        for line in lines:
            table.add_row(*line)
        console.print(table)


def _shown(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
