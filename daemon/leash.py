"""What a body is stopped by: its deadline or a cause of ours, and again for as long as it does not listen."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: a body may clean up for `undisturbed`, is cancelled again `every` so often, and is `given_up` on."""

    undisturbed: float
    every: float
    given_up: float


USUAL = Patience(5.0, 1.0, 10.0)
URGENT = Patience(1.5, 0.5, 2.5)
"""In an emergency stop, which is heard of within two seconds and over within five."""


class Leash:
    """Cancels the task of one body, as `asyncio.timeout` does, by a count that is taken back at the end.

    `expired` says that the deadline passed; `pulled` that it was cancelled at all; `given_up` is called once if it
    still runs when the patience with it is at its end.
    """

    __slots__ = (
        "_first",
        "_loop",
        "_others",
        "_patience",
        "_timer",
        "cancels",
        "deadline",
        "expired",
        "given_up",
        "pulled",
        "task",
    )

    def __init__(self) -> None:
        self.task: asyncio.Task[object] | None = None
        self.deadline: float | None = None
        self.expired = self.pulled = False
        self.cancels = 0
        self.given_up: Callable[[], None] | None = None
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._first = 0.0
        self._patience: Patience | None = None
        self._others = 0

    def begin(self, seconds: float) -> None:
        """In the task itself, before the body. Raises CancelledError if it was pulled before."""
        self.task = asyncio.current_task()
        assert self.task is not None
        self._others = self.task.cancelling()
        self.deadline = self._loop.time() + seconds
        if self.pulled:
            raise asyncio.CancelledError

    def limit(self) -> None:
        """Make the deadline a timer. Apart from `begin`, because most bodies of a burst end before they need one."""
        if self.task is not None and self._timer is None and not self.pulled and self.deadline is not None:
            self._timer = self._loop.call_at(self.deadline, self._due)

    def extend(self, seconds: float) -> None:
        """The deadline is so far from now."""
        self.deadline = self._loop.time() + seconds

    def pull(self, patience: Patience | None = None) -> None:
        """Cancel it now, and again later if that does not end it. With less patience than before it is hurried up."""
        patience = patience or USUAL
        if self.pulled and (self._patience is None or patience.given_up >= self._patience.given_up):
            return
        self.pulled, self._patience = True, patience
        self._first = self._loop.time()
        if self._timer is not None:
            self._timer.cancel()
        if self.task is not None:
            self._cancel(patience.undisturbed)

    def end(self) -> bool:
        """In the task itself, after the body. True if somebody else cancelled the task, too."""
        task, self.task = self.task, None
        if self._timer is not None:
            self._timer.cancel()
        if task is None:
            return False
        for _ in range(self.cancels):
            task.uncancel()
        return task.cancelling() > self._others

    def _due(self) -> None:
        assert self.deadline is not None
        if self._loop.time() < self.deadline:  # it was extended
            self._timer = self._loop.call_at(self.deadline, self._due)
        else:
            self.expired = True
            self.pull()

    def _cancel(self, again: float = 0.0) -> None:
        if self.task is None:
            return
        patience = self._patience or USUAL
        if self.given_up is not None and self._loop.time() - self._first >= patience.given_up:
            tell, self.given_up = self.given_up, None
            tell()
        self.cancels += 1
        self.task.cancel()
        self._timer = self._loop.call_later(again or patience.every, self._cancel)


def where(task: asyncio.Task[None]) -> str:
    """The lines that a suspended task stands at, the innermost last."""
    lines: list[str] = []
    at: object = task.get_coro()
    while (frame := getattr(at, "cr_frame", None)) is not None:
        lines += traceback.format_stack(frame, 1)
        at = getattr(at, "cr_await", None)
    return "".join(lines)
