"""The tables are counted when somebody scrapes, not before: an idle daemon asks nobody anything."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeout

FRESH_FOR = 1.0
PATIENCE = 2.0
SHARE = 0.05  # of the time, at most, the database is busy with counting


class Refresher:
    """Called from the probes' threads before each scrape: `count` on the loop, at most once a second, one at a time.

    Never for long: a count that takes longer goes on, and its numbers are served from the next scrape on. Big tables
    are counted less often.
    """

    def __init__(self, count: Callable[[], Awaitable[None]], loop: asyncio.AbstractEventLoop) -> None:
        self._count, self._loop = count, loop
        self._lock = threading.Lock()
        self._asked: Future[None] | None = None
        self._due_at = 0.0

    def __call__(self) -> None:
        asked = self._current()
        try:
            asked.result(PATIENCE)
        except (FutureTimeout, CancelledError):
            return  # what was known a moment ago is served

    def stop(self) -> None:
        """A count that is under way ends now, and its connection with it."""
        if self._asked is not None:
            self._asked.cancel()

    def _current(self) -> Future[None]:
        with self._lock:
            if self._asked is None or (self._asked.done() and time.monotonic() >= self._due_at):
                self._asked = asyncio.run_coroutine_threadsafe(self._once(), self._loop)
            return self._asked

    async def _once(self) -> None:
        began = time.monotonic()
        try:
            await self._count()
        finally:
            self._due_at = began + max(FRESH_FOR, (time.monotonic() - began) / SHARE)
