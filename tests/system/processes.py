"""Processes as /proc shows them: whose they are, and that none is left. Nothing is ended but by its number."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

from daemon.embedded_process import arguments, is_alive, wait_exit

MARK = "SEXTON_TEST_ID"
PROC = Path("/proc")


def marked(mark: str) -> list[int]:
    """Every living process that inherited this mark: daemons, their workers, whatever these started."""
    wanted = f"{MARK}={mark}".encode()
    return [pid for pid in _pids() if wanted in _environment(pid) and is_alive(pid)]


def children(parent: int) -> list[int]:
    return [pid for pid in _pids() if _parent(pid) == parent and is_alive(pid)]


def described(pid: int) -> str:
    return f"{pid}: {' '.join(arguments(pid))[:160]}"


def kill(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    """A process may have ended by itself a moment ago, which is as good."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


async def gone(pids: list[int], seconds: float = 60.0) -> list[int]:
    """Wait for these to end; those that have not."""
    ended = await asyncio.gather(*(wait_exit(pid, seconds) for pid in pids))
    return [pid for pid, has in zip(pids, ended, strict=True) if not has]


def _pids() -> list[int]:
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit() and int(entry.name) != os.getpid()]


def _environment(pid: int) -> list[bytes]:
    try:
        return (PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:  # gone, or not ours to see
        return []


def _parent(pid: int) -> int | None:
    try:
        return int((PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()[1])
    except (OSError, IndexError, ValueError):
        return None
