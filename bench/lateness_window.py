"""The window that contestants measure in: whole seconds of the wall clock, and the CPU they take."""

from __future__ import annotations

import asyncio
import math
import os
import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from bench.measure import CpuMeter, Spread

LEAD = 0.3


class Window:
    """`instants` due moments from `first` on. Its clock is the machine's, which is the database's too."""

    def __init__(self, period: int, instants: int, postgres: int) -> None:
        self.period, self.instants = period, instants
        self.first = (math.floor((time.time() + 1.5) / period) + 1) * period
        self.last = self.first + (instants - 1) * period
        self._postgres = postgres

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        return datetime.fromtimestamp(self.first, UTC), datetime.fromtimestamp(self.last, UTC)

    async def begin(self) -> None:
        """Return just before the first instant."""
        await asyncio.sleep(max(self.first - LEAD - time.time(), 0))
        self._mine, self._theirs = CpuMeter(os.getpid()), CpuMeter(self._postgres)
        self._began = time.monotonic()

    async def pass_by(self) -> None:
        """Return when the last instant is due."""
        while (left := self.last - time.time()) > 0:
            await asyncio.sleep(min(left, 5.0))
            self._theirs.sample()

    def result(self, lateness: list[float], lost: int) -> dict[str, Any]:
        """Call it when everything is done. CPU is over the time until the next instant would be due."""
        wall = max(time.monotonic() - self._began, self.instants * self.period)
        milliseconds = [1000 * seconds for seconds in lateness]
        return {
            **asdict(Spread.of(milliseconds)), "lost": lost,
            "cpu": self._mine.sample() / wall, "cpu_postgres": self._theirs.sample() / wall,
        }  # fmt: skip
