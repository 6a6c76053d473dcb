"""How far a long command is: bars on a terminal, a line now and then elsewhere. Both on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from daemon.cli import output

Progress = Callable[[str, int, int], None]
"""What is being done, how much of it is done, and how much there is."""
SAY_EVERY = 2.0


@contextmanager
def progress_shown(label: str) -> Iterator[Progress]:
    """Bars on a terminal, one for each step; elsewhere a line now and then. Both on standard error."""
    if not sys.stderr.isatty():
        yield _lines(label)
        return
    from rich.console import Console  # only where a person looks: it costs 60 ms
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks = {}

        def show(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(f"{label}: {step}", total=total)
            bars.update(tasks[step], completed=done, total=total)

        yield show


def progress_line(label: str, step: str, done: object, total: object) -> str:
    return f"{label}: {step} {done}/{total}"


def _lines(label: str) -> Progress:
    said: dict[str, float] = {}

    def show(step: str, done: int, total: int) -> None:
        now = time.monotonic()
        if done >= total or now - said.get(step, 0.0) >= SAY_EVERY:
            said[step] = now
            output.note(progress_line(label, step, done, total))

    return show
