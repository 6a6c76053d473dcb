"""How many jobs that are due at once are taken: in slices, and without garbage collections in between."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

SLICE = 250


def slices(whole: Sequence[T]) -> list[Sequence[T]]:
    """While the runs of one begin, the database works on the next: smaller ones cost more statements than they save."""
    return [whole[start : start + SLICE] for start in range(0, len(whole), SLICE)]


@contextmanager
def uncollected(burst: bool) -> Iterator[None]:
    """No garbage collection during the block, if it is a burst: each would make every run after it late."""
    if not burst or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
