"""How many jobs that are due at once are taken: in slices, and without garbage collections in between."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

SIZES = (200, 300, 500)


def slices(whole: Sequence[T]) -> list[Sequence[T]]:
    """Small ones first: the first runs begin soon, and while they do the database works on the next slice."""
    found: list[Sequence[T]] = []
    start = 0
    while start < len(whole):
        size = SIZES[min(len(found), len(SIZES) - 1)]
        found.append(whole[start : start + size])
        start += size
    return found


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
