"""One run = a value passed through named steps: claimed → performed → decided → recorded → announced."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import anyio
from anyio.abc import TaskGroup

from daemon import ledger
from daemon.active_run import ActiveRun
from daemon.context import RunContext
from daemon.database import DatabaseDown
from daemon.events import Event, RunEnded, RunForsaken, RunStarted
from daemon.fence import Fenced
from daemon.job import Held, Job
from daemon.leash import Patience, where
from daemon.ledger import Claimed
from daemon.outcome import ERROR_LENGTH, Ending, Outcome, failure, to_finish
from daemon.recorder import Recorder
from daemon.roster import Roster
from daemon.slots import Slots

ANNOUNCE_WITHIN = 0.4  # not a round share of a second: jobs that are due each second would begin beside it
LIMITED_WITHIN = 0.05


@dataclass
class Executor:
    """`start` performs claimed runs as tasks that live and die with `tasks`; `active` is what runs here now, by id.

    The tasks are asyncio's own, watched by one of the group: a task of the group for each run would cost as much
    again as all the rest of performing it.
    """

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
    forsaken: set[asyncio.Task[None]] = field(default_factory=set)
    _unlimited: list[ActiveRun] = field(default_factory=list)
    _begun: list[tuple[Claimed, float]] = field(default_factory=list)
    _announcing: asyncio.TimerHandle | None = None
    _performing: dict[asyncio.Task[None], ActiveRun] = field(default_factory=dict)
    _kept: bool = False
    _broken: list[BaseException] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def start(self, runs: Sequence[Claimed]) -> None:
        assert self.tasks is not None
        if self.tasks.cancel_scope.cancel_called:
            return  # we leave: an answer that came after the end is given back as a stray
        for claimed in runs:
            run = ActiveRun(claimed, self.roster.jobs[claimed.job])
            self.active[claimed.id] = run
            self.slots.take(run.job.connections)
            self._begin(run, self._execute(run))

    async def apart(self, run: ActiveRun) -> Outcome:
        """`perform` in a task of its own, for a caller that must go on even if the body never ends."""
        ending: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

        async def performed() -> None:
            outcome = await self.perform(run)
            if not ending.done():
                ending.set_result(outcome)

        def given_up() -> None:
            if not ending.done():
                ending.set_result(self._cause(run))

        self._begin(run, performed(), given_up)
        try:
            return await ending
        except asyncio.CancelledError:
            run.abandon()
            raise

    def _begin(
        self, run: ActiveRun, doing: Coroutine[object, object, None], given_up: Callable[[], None] | None = None
    ) -> None:
        assert self.tasks is not None
        if not self._kept:
            self._kept = True
            self.tasks.start_soon(self._keep, name="runs")
        task = asyncio.get_running_loop().create_task(doing, name=run.job.name)
        run.leash.given_up = partial(self._forsake, run, task, given_up)
        self._performing[task] = run
        task.add_done_callback(self._performed)

    def _forsake(self, run: ActiveRun, task: asyncio.Task[None], given_up: Callable[[], None] | None) -> None:
        """It was told to end, again and again, and does not: its slot is for others, and its body on its own."""
        run.forsaken = True
        self.forsaken.add(task)
        stands = where(task)
        self.emit(RunForsaken(run.claimed.id, run.claimed.job, time.monotonic() - run.began, stands))
        self._performing.pop(task, None)
        self._news.set()
        if given_up is not None:
            given_up()
        elif run.claimed.id in self.active:
            self.record(run, self._cause(run))

    def _cause(self, run: ActiveRun) -> Outcome:
        return run.stop or Outcome(Ending.TIMED_OUT, error=_timed_out(run.job))

    async def _keep(self) -> None:
        """Lives as long as any run does. Cancelled with the group, it takes them along; what raised, it raises."""
        try:
            while self._performing and not self._broken:
                self._news.clear()
                await self._news.wait()
        finally:
            self._kept = False
            for run in self._performing.values():
                run.abandon()
            with anyio.CancelScope(shield=True):
                while self._performing:
                    self._news.clear()
                    await self._news.wait()
        if self._broken:
            raise self._broken.pop()

    def _performed(self, task: asyncio.Task[None]) -> None:
        self.forsaken.discard(task)
        self._performing.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._broken.append(error)
        if not self._performing or self._broken:
            self._news.set()

    def interrupt_all(self, outcome: Outcome, patience: Patience | None = None) -> None:
        for run in list(self.active.values()):
            run.interrupt(outcome, patience)

    async def _execute(self, run: ActiveRun) -> None:
        self.announce_start(run)
        outcome = await self.perform(run)
        if not run.forsaken:
            self.record(run, outcome)

    async def perform(self, run: ActiveRun) -> Outcome:
        """Run the body to one of the endings. Never raises, unless somebody else cancels the task."""
        context = self.make_context(run)
        try:
            run.leash.begin(run.job.timeout.total_seconds())
            self._limit(run)
            try:
                result = await run.job.body(context)
                if not context.completed:
                    ledger.encoded(result)  # what cannot be kept is the body's failure, like anything it raises
            finally:
                await context.close()
        except BaseException as error:
            outcome = self._ending_of(error, run, context, leaving=run.leash.end())
            if outcome is None:
                raise
            return outcome
        run.leash.end()
        result = context.completed_result if context.completed else result
        return Outcome(Ending.SUCCEEDED, result=result, recorded=context.completed)

    def _limit(self, run: ActiveRun) -> None:
        """Its deadline is set a moment later: in a burst most runs are over by then, and a timer is dear."""
        if not self._unlimited:
            asyncio.get_running_loop().call_later(LIMITED_WITHIN, self._set_limits)
        self._unlimited.append(run)

    def _set_limits(self) -> None:
        unlimited, self._unlimited = self._unlimited, []
        for run in unlimited:
            run.leash.limit()

    def _ending_of(self, error: BaseException, run: ActiveRun, context: RunContext, *, leaving: bool) -> Outcome | None:
        """An exception as a value; None for what is not ours to swallow (the supervisor's own cancellation)."""
        if context.completed:
            return Outcome(Ending.SUCCEEDED, result=context.completed_result, recorded=True)
        if leaving and isinstance(error, asyncio.CancelledError):
            return None
        if run.leash.pulled:
            if run.abandoned and run.stop is None and not run.leash.expired:
                return None
            if run.stop is not None or isinstance(error, asyncio.CancelledError):
                return self._cause(run)
        leaves = _leaves(error)
        if any(isinstance(leaf, Fenced) for leaf in leaves):
            return Outcome(Ending.FENCED, reason=str(leaves[0]))
        if held := next((leaf for leaf in leaves if isinstance(leaf, Held)), None):
            return Outcome(Ending.HELD, reason=str(held)[:ERROR_LENGTH], grants=held.grants)
        if all(isinstance(leaf, DatabaseDown) for leaf in leaves):
            return Outcome(Ending.DATABASE_LOST, error=str(leaves[0]))
        return failure(error)

    def record(self, run: ActiveRun, outcome: Outcome) -> None:
        """Hand the decision to the recorder; the slot is free once the ledger knows."""
        finish = to_finish(run.claimed, run.job, outcome, now=self.now(), moved=run.moved)
        if finish is None:
            self._release(run)
            self.announce_end(run, outcome, None)
            return

        def recorded(state: str | None, refused: str | None) -> None:
            self._release(run)
            ending = _as_recorded(outcome, state, refused)
            self.announce_end(run, ending, finish.retry_in if state == "ready" else None)

        self.recorder.put(finish, recorded)

    def opened(self, run: ActiveRun) -> None:
        """A poll that found work is a run now; it takes a slot like any other, and announces itself."""
        self.active[run.claimed.id] = run
        self.slots.take(run.job.connections)
        self.announce_start(run)

    def run_of(self, task: asyncio.Task[object]) -> int | None:
        """The run whose body this task is. Also called from the thread that watches the event loop."""
        return next((run.claimed.id for run in list(self.active.values()) if run.leash.task is task), None)

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
        """Told a moment later, so that in a burst bodies begin before their beginning is counted."""
        if not self._begun:
            self._announcing = asyncio.get_running_loop().call_later(ANNOUNCE_WITHIN, self._announce_starts)
        self._begun.append((run.claimed, time.monotonic()))

    def _announce_starts(self) -> None:
        begun, self._begun = self._begun, []
        if self._announcing is not None:
            self._announcing.cancel()
        clock, elapsed = self.now(), time.monotonic()
        for c, at in begun:
            lateness = max((clock - c.due_at).total_seconds() - (elapsed - at), 0.0)
            self.emit(RunStarted(c.id, c.job, c.due_at, lateness, c.attempt, c.trigger))

    def announce_end(self, run: ActiveRun, outcome: Outcome, retry_in: float | None) -> None:
        self._announce_starts()
        word = str(outcome.ending)
        if outcome.ending in (Ending.FAILED, Ending.TIMED_OUT) and retry_in is not None:
            word = "retrying"
        self.emit(
            RunEnded(
                run.claimed.id, run.claimed.job, word, time.monotonic() - run.began,
                outcome.error or outcome.reason, outcome.traceback, retry_in, run.written,
            )
        )  # fmt: skip


def _as_recorded(outcome: Outcome, state: str | None, refused: str | None) -> Outcome:
    """What the ledger made of it. A run that was stopped while its last COMMIT was under way may have succeeded."""
    if state is None:
        return Outcome(Ending.FENCED, reason="another node has it now")
    if refused is not None:
        return Outcome(Ending.FAILED, error=refused)
    if state == "succeeded" and outcome.ending is not Ending.SUCCEEDED:
        return Outcome(Ending.SUCCEEDED, recorded=True)
    return outcome


def _timed_out(job: Job) -> str:
    return f"timed out after {job.timeout.total_seconds():g} s"


def _leaves(error: BaseException) -> list[BaseException]:
    """What a body's own tasks raised together; a single error is its own only leaf."""
    if isinstance(error, BaseExceptionGroup):
        return [leaf for inner in error.exceptions for leaf in _leaves(inner)]
    return [error]
