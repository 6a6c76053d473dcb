"""One run = a value passed through named steps: claimed → performed → decided → recorded → announced."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime

import anyio
from anyio.abc import TaskGroup

from daemon.context import RunContext
from daemon.database import DatabaseDown
from daemon.events import Event, RunEnded, RunStarted
from daemon.fence import Fenced
from daemon.job import Job
from daemon.ledger import Claimed
from daemon.outcome import Ending, Outcome, to_finish
from daemon.recorder import Recorder
from daemon.roster import Roster
from daemon.slots import Slots

ERROR_LENGTH = 2000
TRACEBACK_LENGTH = 20_000


@dataclass(eq=False)
class ActiveRun:
    """A run that is being performed here. `stop` says why it was interrupted, if it was."""

    claimed: Claimed
    job: Job
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    began: float = field(default_factory=time.monotonic)
    stop: Outcome | None = None
    moved: bool = False
    done: float = 0.0
    total: float | None = None
    task: asyncio.Task[object] | None = None

    def interrupt(self, outcome: Outcome) -> None:
        """Stop it for a cause of ours; the first cause stands."""
        self.stop = self.stop or outcome
        self.scope.cancel()


@dataclass
class Executor:
    """`start` performs claimed runs as tasks of `tasks`; `active` is what runs here now, by run id."""

    roster: Roster
    slots: Slots
    recorder: Recorder
    make_context: Callable[[ActiveRun], RunContext]
    now: Callable[[], datetime]
    emit: Callable[[Event], None]
    freed: Callable[[], None]
    tasks: TaskGroup | None = None
    active: dict[int, ActiveRun] = field(default_factory=dict)
    _idle: asyncio.Event = field(default_factory=asyncio.Event)

    def start(self, runs: Sequence[Claimed]) -> None:
        assert self.tasks is not None
        for claimed in runs:
            run = ActiveRun(claimed, self.roster.jobs[claimed.job])
            self.active[claimed.id] = run
            self.slots.take(run.job.connections)
            self.tasks.start_soon(self._execute, run, name=claimed.job)

    def interrupt_all(self, outcome: Outcome) -> None:
        for run in list(self.active.values()):
            run.interrupt(outcome)

    async def _execute(self, run: ActiveRun) -> None:
        self.announce_start(run)
        outcome = await self.perform(run)
        self.record(run, outcome)

    async def perform(self, run: ActiveRun) -> Outcome:
        """Run the body to one of the endings. Never raises."""
        context = self.make_context(run)
        run.task = asyncio.current_task()
        run.scope.deadline = anyio.current_time() + run.job.timeout.total_seconds()
        try:
            with run.scope:
                async with AsyncExitStack() as stack:
                    stack.push_async_callback(context.close)
                    result = await run.job.body(context)
        except BaseException as error:
            outcome = self._ending_of(error, run, context)
            if outcome is None:
                raise
            return outcome
        if run.scope.cancelled_caught:
            return self._interrupted(run, context)
        result = context.completed_result if context.completed else result
        return Outcome(Ending.SUCCEEDED, result=result, recorded=context.completed)

    def _ending_of(self, error: BaseException, run: ActiveRun, context: RunContext) -> Outcome | None:
        """An exception as a value; None for what is not ours to swallow (the supervisor's own cancellation)."""
        if context.completed:
            return Outcome(Ending.SUCCEEDED, result=context.completed_result, recorded=True)
        if run.stop is not None and not isinstance(error, asyncio.CancelledError):
            return run.stop
        if isinstance(error, Fenced):
            return Outcome(Ending.FENCED, reason=str(error))
        if isinstance(error, DatabaseDown):
            return Outcome(Ending.DATABASE_LOST, error=str(error))
        if isinstance(error, Exception):
            return Outcome(Ending.FAILED, error=_sentence(error), traceback=_trace(error))
        return None

    def _interrupted(self, run: ActiveRun, context: RunContext) -> Outcome:
        if context.completed:
            return Outcome(Ending.SUCCEEDED, result=context.completed_result, recorded=True)
        if run.stop is not None:
            return run.stop
        seconds = run.job.timeout.total_seconds()
        return Outcome(Ending.TIMED_OUT, error=f"timed out after {seconds:g} s")

    def record(self, run: ActiveRun, outcome: Outcome) -> None:
        """Hand the decision to the recorder; the slot is free once the ledger knows."""
        finish = to_finish(run.claimed, run.job, outcome, now=self.now(), moved=run.moved)
        if finish is None:
            self._release(run)
            self.announce_end(run, outcome, None)
            return

        def recorded(still_ours: bool) -> None:
            self._release(run)
            ending = outcome if still_ours else Outcome(Ending.FENCED, reason="another node has it now")
            retrying = finish.state == "ready" and still_ours
            self.announce_end(run, ending, finish.retry_in if retrying else None)

        self.recorder.put(finish, recorded)

    def opened(self, run: ActiveRun) -> None:
        """A poll that found work is a run now; it takes a slot like any other, and announces itself."""
        self.active[run.claimed.id] = run
        self.slots.take(run.job.connections)
        self.announce_start(run)

    def _release(self, run: ActiveRun) -> None:
        if self.active.pop(run.claimed.id, None) is not None:
            self.slots.give_back(run.job.connections)
            self.freed()
        if not self.active:
            self._idle.set()

    async def idle(self) -> None:
        """Returns when nothing runs here and the ledger knows of every end."""
        while self.active:
            self._idle.clear()
            await self._idle.wait()

    def announce_start(self, run: ActiveRun) -> None:
        c = run.claimed
        lateness = max((self.now() - c.due_at).total_seconds(), 0.0)
        self.emit(RunStarted(c.id, c.job, c.due_at, lateness, c.attempt))

    def announce_end(self, run: ActiveRun, outcome: Outcome, retry_in: float | None) -> None:
        word = str(outcome.ending)
        if outcome.ending in (Ending.FAILED, Ending.TIMED_OUT) and retry_in is not None:
            word = "retrying"
        self.emit(
            RunEnded(
                run.claimed.id, run.claimed.job, word, time.monotonic() - run.began,
                outcome.error or outcome.reason, outcome.traceback, retry_in,
            )
        )  # fmt: skip


def _sentence(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:ERROR_LENGTH].rstrip(": ")


def _trace(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))[-TRACEBACK_LENGTH:]
