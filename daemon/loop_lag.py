"""A thread that notices when the event loop stands still, and names what stands there."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

from daemon.events import Event, LoopLagged

BEAT = 1.0
TOLERATED = 1.0
STACK_LENGTH = 4000


@dataclass
class LoopMonitor:
    """`lag` is how long the loop is, or last was, behind its beat (seconds).

    `emit` is called in the watching thread while the loop still stands: a watchdog may end the process before it goes
    on. A RuntimeError of it, as of a loop that was closed meanwhile, ends the watch.
    """

    emit: Callable[[Event], None]
    current_run: Callable[[], int | None]
    lag: float = 0.0
    _beat: float = field(default_factory=time.monotonic)
    _loop: asyncio.AbstractEventLoop | None = None
    _thread_id: int = 0
    _stopped: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread_id = threading.get_ident()
        self._tick()
        threading.Thread(target=self._watch, name="loop-monitor", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def standing_still(self) -> float:
        """Seconds since the loop last showed life; read from other threads."""
        return max(time.monotonic() - self._beat - BEAT, 0.0)

    def _tick(self) -> None:
        now = time.monotonic()
        self.lag = max(now - self._beat - BEAT, 0.0)
        self._beat = now
        if self._loop is not None and not self._stopped.is_set():
            self._loop.call_later(BEAT, self._tick)

    def _watch(self) -> None:
        reported = 0.0
        while not self._stopped.wait(max(self._beat + BEAT + TOLERATED - time.monotonic(), BEAT)):
            still, beat = self.standing_still(), self._beat
            if still > TOLERATED and beat != reported:
                reported = beat
                try:
                    self.emit(LoopLagged(still, self._stack(), self.current_run()))
                except RuntimeError:
                    return  # the loop has been closed meanwhile

    def _stack(self) -> str:
        frame = sys._current_frames().get(self._thread_id)  # noqa: SLF001 - the only way to see another thread's stack
        return "".join(traceback.format_stack(frame))[-STACK_LENGTH:] if frame else ""
