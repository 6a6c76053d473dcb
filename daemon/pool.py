"""The worker pool: functions that compute, in at most `size` child processes, each killable without harm.

concurrent.futures will not do: one dead worker fails the calls of all (BrokenProcessPool), a timeout does
not end the work, and recycling with `max_tasks_per_child` can deadlock on CPython 3.11. Here a child has one
call, the rest wait in one queue, and whatever happens to a child happens to its call only.

A `Pool` belongs to the event loop that started it, and the kernel kills its children when the *thread* of
that loop ends. Run it in the main thread.
"""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, TypeVarTuple, overload

import anyio

from daemon.pool_call import Call
from daemon.pool_crew import PATIENCE_SECONDS, Crew, Limits, Office
from daemon.pool_messages import PoolClosed, PoolError, PoolEvent, PoolStats, WorkerStartError

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Pool:
    """Computes functions in child processes.

    `size` children at most compute; `max_tasks` calls or `max_rss_bytes` of resident memory wear a child out;
    `max_data_bytes` is its RLIMIT_DATA (0: none). `on_event` is called in the loop, in `start`'s context.
    """

    def __init__(
        self,
        size: int = 5,
        *,
        max_tasks: int = 1000,
        max_rss_bytes: int = 1 << 30,
        max_data_bytes: int = 0,
        on_event: Callable[[PoolEvent], None] | None = None,
    ) -> None:
        if size < 1 or max_tasks < 1:
            raise ValueError(f"a pool needs at least one child and one call a child, not {size} and {max_tasks}")
        self._limits = Limits(size, max_tasks, max_rss_bytes, max_data_bytes)
        self._on_event = on_event
        self._queue: OrderedDict[Call, None] = OrderedDict()
        self._crew: Crew | None = None
        self._closing = False

    async def start(self) -> None:
        """Open the pool in the running loop. No child is started before a call, or `warm`, needs it."""
        if self._crew is not None:
            raise PoolError("the pool was started before")
        self._loop = asyncio.get_running_loop()
        self._context = contextvars.copy_context()
        office = Office(
            waiting=self._queue.__len__,
            available=self._dispatch,
            answered=Call.settle,
            interrupted=self._interrupted,
            hopeless=self._hopeless,
            emit=self._emit,
        )
        self._crew = Crew(self._loop, self._limits, office)

    def warm(self, count: int) -> None:
        """Start children ahead of calls until there are `count`, or `size`. WorkerStarted tells of each."""
        self._opened().keep(count)

    @overload
    async def compute(
        self,
        fn: Callable[[*Ts], Coroutine[Any, Any, T]],
        *args: *Ts,
        timeout: float | None = None,
        name: str = "",
    ) -> T: ...
    @overload
    async def compute(
        self,
        fn: Callable[[*Ts], T],
        *args: *Ts,
        timeout: float | None = None,
        name: str = "",
    ) -> T: ...
    async def compute(
        self,
        fn: Callable[[*Ts], Any],
        *args: *Ts,
        timeout: float | None = None,
        name: str = "",
    ) -> Any:
        """The value of `fn(*args)`, computed in a child; an asynchronous `fn` is awaited there.

        `timeout` is in seconds from when a child is given the call: waiting for a child does not count.
        `name` is what errors, events and the log call it, by default the function's full name.
        Cancelling the caller kills the child. Errors:
        TypeError: the function or its arguments cannot be sent; RemoteError: the function raised;
        ComputeTimeout, WorkerDied: its child was killed or ended; WorkerStartError, PoolClosed: not begun.
        """
        crew = self._opened()
        call = Call.of(fn, args, timeout, name, self._loop.create_future())
        if (error := crew.hopeless()) is not None:
            raise error
        self._queue[call] = None
        self._dispatch()
        if call in self._queue:
            crew.grow()
        try:
            return await call.future
        finally:
            if call.future.cancelled() or not call.future.done():
                self._queue.pop(call, None)
                crew.abandon(call)

    @property
    def free(self) -> int:
        """How many calls could be begun now, counting children that would be started for them."""
        crew = self._crew
        if crew is None or self._closing or crew.hopeless() is not None:
            return 0
        return max(0, self._limits.size - crew.busy - len(self._queue))

    def stats(self) -> PoolStats:
        """The pool's numbers at this moment."""
        crew = self._crew
        workers = crew.workers if crew else []
        return PoolStats(
            size=self._limits.size,
            busy=crew.busy if crew else 0,
            starting=sum(not worker.is_ready for worker in workers),
            idle=sum(worker.is_idle for worker in workers),
            queued=len(self._queue),
            died=crew.died if crew else 0,
            recycled=crew.recycled if crew else 0,
            tasks=crew.tasks if crew else 0,
        )

    async def ping(self) -> bool:
        """Is the pool alive? The loop goes round, no call is past its deadline, none waits for nothing."""
        await asyncio.sleep(0)
        crew = self._crew
        if crew is None or self._closing:
            return True
        latest = time.monotonic() - 2 * PATIENCE_SECONDS
        late = any(worker.deadline is not None and worker.deadline < latest for worker in crew.workers)
        return not late and not (self._queue and crew.free_hand() is not None)

    async def stop(self, grace: float) -> None:
        """Refuse calls, drop waiting ones (PoolClosed), give running ones `grace` seconds, then kill.

        No child is left when it returns. PoolError if one survives SIGKILL (it hangs in the kernel).
        """
        self._closing = True
        self._fail_queue(PoolClosed("the pool stopped before the call was begun"))
        crew = self._crew
        if crew is None:
            return
        crew.close()
        try:
            with anyio.move_on_after(grace):
                await crew.gone.wait()
        finally:
            crew.kill_all()
            with anyio.move_on_after(PATIENCE_SECONDS, shield=True):
                await crew.gone.wait()
        if crew.workers:
            raise PoolError(f"workers {[worker.pid for worker in crew.workers]} survived SIGKILL")

    def _opened(self) -> Crew:
        if self._crew is None or self._closing:
            raise PoolClosed("the pool is " + ("stopped" if self._closing else "not started"))
        return self._crew

    def _dispatch(self) -> None:
        """Give the calls that have waited longest to the children that can take one."""
        assert self._crew is not None
        while self._queue:
            worker = self._crew.free_hand()
            if worker is None:
                return
            call, _ = self._queue.popitem(last=False)
            self._crew.begin(worker, call)

    def _interrupted(self, call: Call, error: PoolError, unread: bool) -> None:
        """Once, a call that its child never read is given to another; twice, it may be what kills them."""
        if unread and call.sends == 1 and not call.future.done() and not self._closing:
            self._queue[call] = None
            self._queue.move_to_end(call, last=False)
            self._dispatch()
        else:
            call.fail(error)

    def _hopeless(self, error: WorkerStartError) -> None:
        self._fail_queue(error)

    def _fail_queue(self, error: PoolError) -> None:
        while self._queue:
            call, _ = self._queue.popitem(last=False)
            call.fail(error)

    def _emit(self, event: PoolEvent) -> None:
        """Tell the observer, in a context that belongs to no job; its errors are the loop's to report."""
        if self._on_event is None:
            return
        try:
            self._context.copy().run(self._on_event, event)
        except Exception as error:  # noqa: BLE001 - the pool must outlive its observer
            self._loop.call_exception_handler(
                {"message": f"the pool's on_event raised on {event!r}", "exception": error}
            )
