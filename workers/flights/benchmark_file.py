"""`benchmarks/results.json`: how the last 1,000 ratings went, replaced atomically, at most once a second.

Only the supervisor writes it. The table `flights.benchmark` is the complete account; this file is for people.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import deque
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

MOST = 1000
EVERY_S = 1.0


class BenchmarkFile:
    """The rows in memory and when they were last written. A file that cannot be read is begun anew.

    Writing raises `OSError`, and is tried again with the next rows.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: deque[dict[str, Any]] = deque(maxlen=MOST)
        self._written_at = -EVERY_S
        self._unwritten = False
        self._loaded = False

    async def add(self, rows: Iterable[dict[str, Any]]) -> None:
        """Keep these, and write unless that was done within the last second."""
        if not self._loaded:
            self.rows.extendleft(reversed(await asyncio.to_thread(read, self.path)))
            self._loaded = True
        before = self.rows[-1] if self.rows else None
        self.rows.extend(rows)
        self._unwritten |= bool(self.rows) and self.rows[-1] is not before
        if time.monotonic() - self._written_at >= EVERY_S:
            await self.flush()

    async def flush(self) -> None:
        """Write what is not written yet."""
        if self._unwritten:
            self._written_at = time.monotonic()
            await asyncio.to_thread(write, self.path, list(self.rows))
            self._unwritten = False


@cache
def benchmark_file(path: Path) -> BenchmarkFile:
    """One per path and process, since every poll is a run of its own."""
    return BenchmarkFile(path)


def read(path: Path) -> list[dict[str, Any]]:
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return rows[-MOST:] if isinstance(rows, list) else []


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    """Beside it, then renamed over it: a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    draft.write_text("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n", encoding="utf-8")
    draft.replace(path)
