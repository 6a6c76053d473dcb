"""What is measured: percentiles, CPU time of process trees, resident memory, and which machine it was."""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil


def percentile(values: Sequence[float], p: float) -> float:
    """Nearest rank: a value that was really measured."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(p / 100 * len(ordered) + 0.5) - 1))]


@dataclass(frozen=True, slots=True)
class Spread:
    """Of many samples, in the unit they came in."""

    count: int
    p50: float
    p99: float
    worst: float

    @classmethod
    def of(cls, samples: Sequence[float]) -> Spread:
        return cls(len(samples), percentile(samples, 50), percentile(samples, 99), max(samples))


median = statistics.median


def family(pid: int) -> list[psutil.Process]:
    """A process and all its descendants that are alive now."""
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


class CpuMeter:
    """CPU seconds that process trees burn from here on, to the nanosecond where the kernel says so.

    Processes that come are counted from their birth. Of those that go, their parent's account of ended children
    is counted, which has ticks of 10 ms; `sample` now and then keeps what is lost small.
    """

    def __init__(self, *pids: int) -> None:
        self._pids = pids
        self._first: dict[int, float] = {}
        self._last: dict[int, float] = {}
        for process in self._processes():
            self._first[process.pid] = spent(process.pid)
        self._last = dict(self._first)

    def _processes(self) -> list[psutil.Process]:
        return [process for pid in self._pids for process in family(pid)]

    def sample(self) -> float:
        for process in self._processes():
            self._last[process.pid] = max(spent(process.pid), self._last.get(process.pid, 0.0))
        return sum(last - self._first.get(pid, 0.0) for pid, last in self._last.items())

    def by_process(self) -> dict[int, float]:
        self.sample()
        return {pid: last - self._first.get(pid, 0.0) for pid, last in self._last.items()}

    async def sampled_for(self, seconds: float, every: float = 1.0) -> float:
        """Wait so long, looking now and then, and return the CPU seconds since the meter was made."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while (left := until - loop.time()) > 0:
            await asyncio.sleep(min(left, every))
            self.sample()
        return self.sample()


def spent(pid: int) -> float:
    """CPU seconds of one process so far, all its threads."""
    total = 0
    with contextlib.suppress(OSError, ValueError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError, ValueError, IndexError):
                total += int((thread / "schedstat").read_text().split()[0])
    return total / 1e9


def resident_mb(pid: int) -> float:
    return float(psutil.Process(pid).memory_info().rss) / 2**20


def unique_mb(pid: int) -> float:
    """Memory that would come back if these processes ended: what several share counts for none of them."""
    total = 0
    for process in family(pid):
        with contextlib.suppress(psutil.Error):
            total += process.memory_full_info().uss
    return total / 2**20


def cpu_name() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def machine(postgres: str) -> dict[str, str | int]:
    return {
        "cores": os.cpu_count() or 0, "cpu": cpu_name(), "python": platform.python_version(),
        "postgresql": postgres, "kernel": platform.release(),
    }  # fmt: skip


def load() -> float:
    return os.getloadavg()[0]


Tell = Callable[[str], None]
