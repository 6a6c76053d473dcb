"""The state of the machine, read from /proc. Runs in a worker process: a disk that hangs must not hang the daemon."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

PROC = Path("/proc")
KIB_PER_MIB = 1024


def readings(pid: int, disks: Sequence[str], proc: Path = PROC) -> dict[str, float | None]:
    """Check → value for `thresholds.judge`; None where the machine would not say.

    `pid`: whose resident memory. A disk's percentage is df's: of what an ordinary user
    could have, what is reserved left out.
    """
    taken: dict[str, float | None] = {
        "resident_mb": _resident_mb(proc / str(pid) / "status"),
        "memory_free_pct": _memory_free_pct(proc / "meminfo"),
        "load_per_core": os.getloadavg()[0] / len(os.sched_getaffinity(0)),
    }
    return taken | {f"disk_free_pct:{disk}": _disk_free_pct(disk) for disk in disks}


def nothing(disks: Sequence[str]) -> dict[str, float | None]:
    """What there is to judge when the reading itself did not come back."""
    return dict.fromkeys(["resident_mb", "memory_free_pct", "load_per_core", *(f"disk_free_pct:{d}" for d in disks)])


def fields(text: str) -> dict[str, int]:
    """The numbers of a /proc file of lines such as `VmRSS:   1234 kB`, in its unit."""
    found: dict[str, int] = {}
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        number = rest.split()[:1]
        if number and number[0].isdigit():
            found[name] = int(number[0])
    return found


def _resident_mb(status: Path) -> float | None:
    kib = _fields_of(status).get("VmRSS")
    return None if kib is None else kib / KIB_PER_MIB


def _memory_free_pct(meminfo: Path) -> float | None:
    memory = _fields_of(meminfo)
    if "MemAvailable" not in memory or not memory.get("MemTotal"):
        return None
    return 100 * memory["MemAvailable"] / memory["MemTotal"]


def _disk_free_pct(disk: str) -> float | None:
    try:
        room = os.statvfs(disk)
    except OSError:
        return None
    usable = room.f_blocks - room.f_bfree + room.f_bavail
    return 100 * room.f_bavail / usable if usable else None


def _fields_of(path: Path) -> dict[str, int]:
    try:
        return fields(path.read_text(encoding="ascii", errors="replace"))
    except OSError:
        return {}
