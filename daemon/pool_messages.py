"""What the worker pool says: the errors it raises, the events it emits, and its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from signal import Signals


def ending(exit_code: int | None) -> str:
    """Words for an exit status as subprocess counts it: negative is a signal, None not yet known."""
    if exit_code is None:
        return "has not exited"
    if exit_code >= 0:
        return f"exited with status {exit_code}"
    try:
        return f"was killed by {Signals(-exit_code).name}"
    except ValueError:  # real-time signals have no name
        return f"was killed by signal {-exit_code}"


class PoolError(Exception):
    """A call that was not computed, or not to its end."""


class PoolClosed(PoolError):
    """The pool is not started, or is stopping: the call was not begun."""


class WorkerStartError(PoolError):
    """No child can be started. The call was not begun; `retry_in` seconds pass before the next attempt."""

    def __init__(self, reason: str, failures: int, retry_in: float) -> None:
        self.reason = reason
        self.failures = failures
        self.retry_in = retry_in
        super().__init__(
            f"no worker process starts ({failures} failures in a row, next try in {retry_in:.1f} s): {reason}"
        )


class WorkerDied(PoolError):
    """The child computing this call ended; `exit_code` is negative for a signal, None if not known."""

    def __init__(self, pid: int, exit_code: int | None, task: str, detail: str = "") -> None:
        self.pid = pid
        self.exit_code = exit_code
        self.task = task
        self.detail = detail
        super().__init__(f"worker {pid} computing {task} " + (detail or ending(exit_code)))


class ComputeTimeout(PoolError):
    """The call took longer than it may, and its child was killed; `seconds` is the limit it had."""

    def __init__(self, pid: int, seconds: float, task: str) -> None:
        self.pid = pid
        self.seconds = seconds
        self.task = task
        super().__init__(f"{task} did not end within {seconds:g} s: worker {pid} was killed")


class RemoteError(PoolError):
    """The function raised. `traceback` is the child's text; `__cause__` the exception, if it could travel."""

    def __init__(self, type_name: str, message: str, traceback: str) -> None:
        self.type_name = type_name
        self.message = message
        self.traceback = traceback
        super().__init__(f"{type_name}: {message}")
        self.add_note(f"In the worker process:\n{traceback}")


@dataclass(frozen=True, slots=True)
class WorkerStarted:
    """A child is ready for calls, `seconds` after it was spawned."""

    pid: int
    seconds: float


@dataclass(frozen=True, slots=True)
class WorkerExited:
    """A child is gone and reaped, after `tasks` calls. `reason` is ours if we ended it, or how it ended."""

    pid: int
    reason: str
    exit_code: int
    tasks: int


@dataclass(frozen=True, slots=True)
class WorkerStderr:
    """One line a child wrote to stderr or stdout; `task` is the call it computed, empty between calls."""

    pid: int
    line: str
    task: str


@dataclass(frozen=True, slots=True)
class WorkerStartFailed:
    """A child did not come up, for the `failures`th time in a row; none is tried for `retry_in` seconds."""

    reason: str
    failures: int
    retry_in: float


PoolEvent = WorkerStarted | WorkerExited | WorkerStderr | WorkerStartFailed


@dataclass(frozen=True, slots=True)
class PoolStats:
    """Children now (`busy`, `starting`, `idle`), calls `queued`; `died`, `recycled`, `tasks` since the start.

    `died` counts children that crashed or were killed, `recycled` those retired by a limit, `tasks` the calls
    answered, by a value or an exception.
    """

    size: int
    busy: int
    starting: int
    idle: int
    queued: int
    died: int
    recycled: int
    tasks: int
