"""Which place a node lives in: its next life takes back its own leavings, and a twin is not mistaken for it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

MOST_TWINS = 64


@contextmanager
def held_place(state_dir: Path) -> Iterator[str]:
    """A name of this state directory that no other living process has, for the block.

    The kernel drops the lock with the process, however that ends: whoever gets `…#1` knows that the last holder of
    `…#1` is gone and may take its work back at once. Daemons that share a directory (possible with an external
    database) get different numbers. A directory that cannot be written to gives a name used once.
    """
    descriptor, name = _lock(state_dir)
    try:
        yield name
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _lock(state_dir: Path) -> tuple[int | None, str]:
    for number in range(1, MOST_TWINS + 1):
        try:
            state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(state_dir / f"node-{number}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            break
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            continue
        return descriptor, f"{state_dir}#{number}"
    return None, f"{state_dir}#{uuid4()}"
