"""The children of a worker pool: started as calls need them, watched, replaced when worn out or dead.

At most `size` children compute, and at most `size` exist, but for one case: while a child that has reached a
limit is being replaced there is one more, which begins computing when the old one has stopped.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from daemon.pool_backoff import Backoff
from daemon.pool_call import Call
from daemon.pool_messages import (
    ComputeTimeout,
    PoolError,
    PoolEvent,
    WorkerDied,
    WorkerExited,
    WorkerStarted,
    WorkerStartError,
    WorkerStderr,
    ending,
)
from daemon.pool_process import Hooks, WorkerProcess

START_SECONDS = 30.0
"""A child that is not ready by then is killed."""
PATIENCE_SECONDS = 5.0
"""For what takes milliseconds on a sound machine: a retired child's exit, a killed one's death."""
WATCH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Of a crew: children, calls per child, resident bytes of a child, RLIMIT_DATA in bytes (0: none)."""

    size: int
    max_tasks: int
    max_rss_bytes: int
    max_data_bytes: int


@dataclass(frozen=True, slots=True)
class Office:
    """What a crew needs from its pool."""

    waiting: Callable[[], int]
    """How many calls wait for a child."""
    available: Callable[[], None]
    """A child can take a call."""
    answered: Callable[[Call, memoryview], None]
    """A call has its outcome; the child that computed it has none now."""
    interrupted: Callable[[Call, PoolError, bool], None]
    """The child of a call died. True: it was never begun, so that another child may have it."""
    hopeless: Callable[[WorkerStartError], None]
    """No child is alive, and none can be started."""
    emit: Callable[[PoolEvent], None]


class Crew:
    """The children. All methods are called in the loop's thread, and none waits but for fork and exec."""

    def __init__(self, loop: asyncio.AbstractEventLoop, limits: Limits, office: Office) -> None:
        self.workers: list[WorkerProcess] = []  # every one that is not reaped, the oldest first
        self.died = self.recycled = self.tasks = 0
        self.gone = asyncio.Event()  # closing, and no child is left
        self._loop = loop
        self._limits = limits
        self._office = office
        self._hooks = Hooks(self._ready, self._answered, self._wrote, self._exited)
        self._keep = 0  # as many as were needed at once so far
        self._closing = False
        self._watch: asyncio.TimerHandle | None = None
        self._retry: asyncio.TimerHandle | None = None
        self._backoff = Backoff()

    # Work

    @property
    def busy(self) -> int:
        """Children with a call, dying ones included."""
        return sum(worker.call is not None for worker in self.workers)

    def free_hand(self) -> WorkerProcess | None:
        """A child to give a call to, the oldest first, so that not all of them wear out together."""
        if self.busy >= self._limits.size:
            return None
        return next((worker for worker in self.workers if worker.is_idle), None)

    def begin(self, worker: WorkerProcess, call: Call) -> None:
        """Send a call; its time runs from now."""
        worker.begin(call)
        if call.timeout is not None:
            worker.deadline = time.monotonic() + call.timeout
            worker.set_alarm(call.timeout, self._on_deadline)
        if self._watch is None:
            self._watch = self._loop.call_later(WATCH_SECONDS, self._on_watch)

    def abandon(self, call: Call) -> None:
        """Nobody waits for this call any more: kill the child that computes it, if one does."""
        for worker in self.workers:
            if worker.call is call:
                self.kill(worker, f"the caller of {call.task} was cancelled", None)

    def kill(self, worker: WorkerProcess, reason: str, verdict: PoolError | None) -> None:
        """End a child now. Its call fails with `verdict` when it is dead, or when that takes too long."""
        worker.kill(reason, verdict)
        worker.set_alarm(PATIENCE_SECONDS, self._on_undead)

    # Growth

    def keep(self, count: int) -> None:
        """Have that many children from now on, if the size allows."""
        self._keep = max(self._keep, min(count, self._limits.size))
        self.grow()

    def grow(self) -> None:
        """Start a child for each waiting call, and replacements, as far as there is room."""
        while not self._closing and self._lacks_one():
            if (delay := self._backoff.remaining()) > 0:
                if self._retry is None:
                    self._retry = self._loop.call_later(delay, self._on_retry)
                return
            self._hire()

    def hopeless(self) -> WorkerStartError | None:
        """The error for a call that has no child, nor will have one soon; None if there is hope."""
        return None if self._staying() else self._backoff.verdict()

    def _staying(self) -> list[WorkerProcess]:
        return [worker for worker in self.workers if not (worker.spent or worker.leaving)]

    def _lacks_one(self) -> bool:
        staying = self._staying()
        starting = sum(not worker.is_ready for worker in staying)
        room = self._limits.size + any(worker.spent for worker in self.workers)
        return len(self.workers) < room and (starting < self._office.waiting() or len(staying) < self._keep)

    def _hire(self) -> None:
        try:
            worker = WorkerProcess(self._hooks, self._loop, self._limits.max_data_bytes)
        except OSError as error:
            self._start_failed(f"{type(error).__name__}: {error}", time.monotonic())
            return
        worker.set_alarm(START_SECONDS, self._on_slow_start)
        self.workers.append(worker)
        self._keep = max(self._keep, len(self._staying()))

    def _start_failed(self, why: str, started: float) -> None:
        """Put the next attempt off; a replacement that no call waits for is then not attempted at all."""
        failure = self._backoff.failed(why, started)
        self._keep = len(self._staying())
        self._office.emit(failure)
        if (error := self.hopeless()) is not None:
            self._office.hopeless(error)

    def _on_retry(self) -> None:
        self._retry = None
        self.grow()

    # What children do

    def _ready(self, worker: WorkerProcess) -> None:
        worker.clear_alarm()
        self._office.emit(WorkerStarted(worker.pid, time.monotonic() - worker.started))
        old = next((other for other in self.workers if other.spent and not other.leaving), None)
        if old is not None:
            self._dismiss(old, f"replaced, having reached {self._limits.max_tasks} calls")
        self._office.available()
        self.grow()

    def _answered(self, worker: WorkerProcess, outcome: memoryview) -> None:
        """The child is given its next call before this outcome is unpickled."""
        call = worker.finish()
        self.tasks += 1
        self._backoff.succeeded()
        self._review(worker)
        self._office.available()
        self._office.answered(call, outcome)

    def _review(self, worker: WorkerProcess) -> None:
        """Does a child go on after its answer? One too big stops now, a worn one when it is replaced."""
        if worker.leaving:
            self._dismiss(worker, worker.leaving)
            return
        size = worker.resident_bytes()
        if size > self._limits.max_rss_bytes:
            worker.spent = True
            self._dismiss(worker, f"retired with {_mib(size)} resident, over {_mib(self._limits.max_rss_bytes)}")
        elif worker.tasks >= self._limits.max_tasks:
            worker.spent = True
        if worker.spent:
            self.grow()

    def _dismiss(self, worker: WorkerProcess, reason: str) -> None:
        """Let a child go, now or when it has answered."""
        worker.leaving = reason
        if worker.call is None:
            worker.retire()
            worker.set_alarm(PATIENCE_SECONDS, self._on_slow_exit)

    def _wrote(self, worker: WorkerProcess, line: str) -> None:
        if not worker.is_ready:
            worker.last_words.append(line)
        self._office.emit(WorkerStderr(worker.pid, line, worker.call.task if worker.call else ""))

    def _exited(self, worker: WorkerProcess, exit_code: int) -> None:
        worker.clear_alarm()
        self.workers.remove(worker)
        call = worker.call
        as_told = bool(worker.leaving) and not worker.killed and call is None and exit_code == 0
        reason = worker.killed or (worker.leaving if as_told else ending(exit_code))
        self.recycled += as_told and worker.spent
        self.died += not as_told
        self._office.emit(WorkerExited(worker.pid, reason, exit_code, worker.tasks))
        if self._was_stillborn(worker):
            self._start_failed("\n".join([f"worker {worker.pid}: {reason}", *worker.last_words]), worker.started)
        if call is not None:
            error = worker.verdict or WorkerDied(worker.pid, exit_code, call.task)
            self._office.interrupted(call, error, worker.unread and not worker.killed)
        self.grow()
        if self._closing and not self.workers:
            self.gone.set()

    def _was_stillborn(self, worker: WorkerProcess) -> bool:
        """Did it end, unwished, before it began any call? Then the next would likely do the same."""
        if self._closing or worker.tasks:
            return False
        began = worker.call is not None and not worker.unread
        return not worker.is_ready or not (began or worker.killed or worker.leaving)

    # Alarms

    def _on_slow_start(self, worker: WorkerProcess) -> None:
        self.kill(worker, f"not ready after {START_SECONDS:g} s", None)

    def _on_slow_exit(self, worker: WorkerProcess) -> None:
        self.kill(worker, f"{worker.leaving}; killed, as it was still there {PATIENCE_SECONDS:g} s later", None)

    def _on_deadline(self, worker: WorkerProcess) -> None:
        call = worker.call
        assert call is not None
        assert call.timeout is not None
        assert worker.deadline is not None
        if (early := worker.deadline - time.monotonic()) > 0:  # loops round their timers
            worker.set_alarm(early, self._on_deadline)
            return
        verdict = ComputeTimeout(worker.pid, call.timeout, call.task)
        self.kill(worker, f"{call.task} did not end within {call.timeout:g} s", verdict)

    def _on_undead(self, worker: WorkerProcess) -> None:
        """A killed child hangs in the kernel. It keeps its place, but its caller is let go."""
        if worker.call is not None and worker.verdict is not None:
            self._office.interrupted(worker.call, worker.verdict, False)

    def _on_watch(self) -> None:
        """Once a second, while anything is computed: kill what has grown too big."""
        self._watch = None
        limit = self._limits.max_rss_bytes
        for worker in self.workers:
            call = worker.call
            if call is None or worker.killed or (size := worker.resident_bytes()) <= limit:
                continue
            detail = f"was killed with {_mib(size)} resident, over the limit of {_mib(limit)}"
            self.kill(worker, f"{call.task} {detail}", WorkerDied(worker.pid, -9, call.task, detail))
        if self.busy:
            self._watch = self._loop.call_later(WATCH_SECONDS, self._on_watch)

    # The end

    def close(self) -> None:
        """Start nobody any more; those without a call leave now, the others when they have answered."""
        self._closing = True
        if self._retry is not None:
            self._retry.cancel()
        for worker in self.workers:
            if not worker.is_ready:
                self.kill(worker, "the pool stopped", None)
            elif not worker.leaving:
                self._dismiss(worker, "the pool stopped")
        if not self.workers:
            self.gone.set()

    def kill_all(self) -> None:
        """End everything that is left."""
        for worker in self.workers:
            task = worker.call.task if worker.call else "nothing"
            verdict = WorkerDied(worker.pid, -9, task, "was killed because the pool stopped")
            self.kill(worker, "the pool stopped", verdict)


def _mib(size: int) -> str:
    return f"{size / (1 << 20):.0f} MiB"
