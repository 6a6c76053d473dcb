"""Who runs on which core: what is measured has one of its own, so that a figure says what one core can do."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from bench.measure import family

ONE = {0}
"""The core of what is measured."""


def others() -> set[int]:
    """The cores of everybody else: a machine of one core has none to spare."""
    return (os.sched_getaffinity(0) - ONE) or ONE


def bound(pid: int, cores: Iterable[int]) -> None:
    """A process, its children, and all threads they have by now: later ones inherit it."""
    for process in family(pid):
        for thread in Path(f"/proc/{process.pid}/task").glob("*"):
            with suppress(OSError):
                os.sched_setaffinity(int(thread.name), cores)


def waited(pid: int) -> float:
    """Seconds so far that a process's first thread, where its event loop runs, was ready to and had no core."""
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[1]) / 1e9


def shared() -> str:
    """A sentence about it for a table's note."""
    if others() == ONE:
        return "The machine has one core, which PostgreSQL and the callers share with what is measured."
    return "What is measured is bound to one core; PostgreSQL and the callers have the others."
