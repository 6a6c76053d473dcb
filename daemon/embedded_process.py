"""Processes of a PostgreSQL server that may not be our children: find them, wait for them, end them.

A server is found by its `cluster_name`, which is in the postmaster's arguments and in every child's title.
That needs no more than a readable /proc/PID/cmdline: /proc/PID/cwd would need ptrace rights, which root in a
container lacks.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from daemon.embedded_events import EmbeddedEvent, StopEscalated

_PROC = Path("/proc")
# (signal, seconds to wait for its effect). SIGINT is a clean shutdown with its checkpoint, SIGQUIT leaves
# recovery to the next start, SIGKILL is for a process that answers to nothing.
POSTMASTER_LADDER = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 10.0))
# Backends without a postmaster notice by themselves, unless they compute: nothing of theirs can be committed
# late.
CREATOR_LADDER = ((None, 5.0), (signal.SIGKILL, 10.0))  # an orphaned initdb tidies up after itself
BACKEND_LADDER = ((None, 1.0), (signal.SIGQUIT, 2.0), (signal.SIGKILL, 10.0))


def is_alive(pid: int) -> bool:
    """Whether `pid` runs. A zombie does not: as PID 1 of a container we may never be asked to reap it."""
    return _state(pid) not in {b"", b"Z", b"X"}


def is_zombie(pid: int) -> bool:
    """Whether `pid` is dead and still has its number, because nobody has reaped it."""
    return _state(pid) == b"Z"


def _state(pid: int) -> bytes:
    """The letter /proc gives; empty when there is no such process."""
    try:
        stat = (_PROC / str(pid) / "stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""
    return stat.rpartition(b")")[2].split()[0]


def arguments(pid: int) -> list[str]:
    """The argv of `pid`; empty when it is gone, a zombie, or hidden from us."""
    try:
        raw = (_PROC / str(pid) / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return []
    return [os.fsdecode(part) for part in raw.split(b"\0") if part]


def postmasters(marker: str) -> list[int]:
    """Pids of the postmasters started by us for `marker` (a cluster_name); normally none or one."""
    return [pid for pid in _pids() if f"cluster_name={marker}" in arguments(pid)]


def children(marker: str) -> list[int]:
    """Pids of the backends and helpers of the server `marker`, whether or not its postmaster lives."""
    title = f"postgres: {marker}: "
    return [pid for pid in _pids() if any(part.startswith(title) for part in arguments(pid)[:1])]


def mentioning(prefix: str) -> list[int]:
    """Pids of the processes with an argument that begins with `prefix`, a path that nobody else uses."""
    return [pid for pid in _pids() if any(part.startswith(prefix) for part in arguments(pid))]


def _pids() -> list[int]:
    return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit() and int(entry.name) != os.getpid()]


async def wait_exit(pid: int, seconds: float) -> bool:
    """Wait at most `seconds` for `pid`, child or not, to end; True when it has."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    except OSError:  # a kernel before 5.3 or a sandbox without pidfd: look now and then instead
        return await _poll_exit(pid, seconds)
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(handle, ended.set)
    try:
        await asyncio.wait_for(ended.wait(), seconds)
    except TimeoutError:
        return not is_alive(pid)
    finally:
        loop.remove_reader(handle)
        os.close(handle)
    return True


async def _poll_exit(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while is_alive(pid):
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(0.02)
    return True


async def end(
    pid: int,
    ladder: Sequence[tuple[signal.Signals | None, float]],
    on_event: Callable[[EmbeddedEvent], None],
) -> None:
    """Send the signals of `ladder` one after the other until `pid` has ended; None only waits.

    Raises TimeoutError when it outlives the last one (it hangs in the kernel, on a dead disk for instance).
    """
    for step, (number, seconds) in enumerate(ladder):
        if step and number is not None:
            on_event(StopEscalated(pid, number.name))
        if number is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        if await wait_exit(pid, seconds):
            return
    raise TimeoutError(f"process {pid} did not end after SIGKILL; look at /proc/{pid}/stack and the disk")


async def end_children(marker: str, on_event: Callable[[EmbeddedEvent], None]) -> None:
    """Wait until no backend of the dead server `marker` is left: a new one must not start beside them."""
    while found := await asyncio.to_thread(children, marker):
        await asyncio.gather(*(end(pid, BACKEND_LADDER, on_event) for pid in found))
