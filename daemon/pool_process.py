"""One child process of the worker pool, as its parent sees it: started, spoken to, watched, ended and reaped.

Everything happens in callbacks of the event loop, on plain file descriptors: a socket for frames, a pipe for
its stderr, a pidfd for its end, and /proc/PID/statm for its memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from daemon import pool_worker
from daemon.pool_call import Call
from daemon.pool_channel import Channel
from daemon.pool_messages import PoolError
from daemon.pool_worker import CHUNK

LINE_BYTES = 4096
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
COMMAND = (sys.executable, "-P", "-X", "faulthandler", str(pool_worker.__file__))
"""By path, since `-m` would import the package, and with it twice what a child needs; -P keeps our folder, whose
queue.py would be found before the library's, off its sys.path."""
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""Of linear algebra (numpy comes with shapely and scipy). The pool has a process for each call, and threads of each
would fight for the same cores; to start them is a third of a child's first call. The environment beats it."""
OUR_DECISION = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Hooks:
    """Who is told what a child does."""

    ready: Callable[[WorkerProcess], None]
    """It takes calls from now on."""
    answered: Callable[[WorkerProcess, memoryview], None]
    """It has computed `worker.call`, with this outcome."""
    wrote: Callable[[WorkerProcess, str], None]
    """It has written this line to stderr or stdout."""
    exited: Callable[[WorkerProcess, int], None]
    """It is dead and reaped, with this exit code; all it had sent was delivered; descriptors are closed."""


class Lines:
    """Cuts a byte stream into lines of at most LINE_BYTES; what is longer loses its end and says so."""

    def __init__(self) -> None:
        self._part = bytearray()
        self._lost = 0  # bytes of the unfinished line that were not kept

    def feed(self, data: bytes) -> list[str]:
        """The lines that `data` completes."""
        *whole, last = data.split(b"\n")
        lines = []
        for piece in whole:
            self._keep(piece)
            lines.append(self._take())
        self._keep(last)
        return lines

    def rest(self) -> list[str]:
        """The unfinished line, if there is one."""
        return [self._take()] if self._part else []

    def _keep(self, piece: bytes) -> None:
        room = LINE_BYTES - len(self._part)
        self._part += piece[:room]
        self._lost += max(0, len(piece) - room)

    def _take(self) -> str:
        line = self._part.decode(errors="backslashreplace")
        if self._lost:
            line += f" … ({self._lost} more bytes)"
        self._part.clear()
        self._lost = 0
        return line


def spawn(channel: int, output: int) -> subprocess.Popen[bytes]:
    """Start a child in a process group of its own, with our sys.path; `channel` and `output` are its ends.

    SIGINT and SIGTERM are blocked across the start, so that neither can end a child before it ignores them.
    """
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)  # noqa: PTH109 - a string is needed
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, OUR_DECISION)
    try:
        return subprocess.Popen(
            [*COMMAND, str(channel), str(os.getpid())],
            env={**ONE_THREAD, **os.environ, "PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(channel,),
            process_group=0,
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


class WorkerProcess:
    """A child and the one call it may be computing. OSError when it cannot be started.

    It must be made in the thread that runs the loop: the kernel kills the child when that *thread* ends.
    """

    def __init__(self, hooks: Hooks, loop: asyncio.AbstractEventLoop, max_data_bytes: int = 0) -> None:
        self.call: Call | None = None
        self.deadline: float | None = None  # of the call, on time.monotonic()
        self.tasks = 0  # calls answered
        self.is_ready = False
        self.is_dead = False
        self.spent = False  # to be replaced, and serving until the replacement is ready
        self.leaving = ""  # why it takes no further call
        self.killed = ""  # why we killed it
        self.verdict: PoolError | None = None  # what its call fails with when we kill it
        self.last_words: deque[str] = deque(maxlen=20)  # its output before it was ready
        self.started = time.monotonic()
        self._hooks = hooks
        self._loop = loop
        self._alarm: asyncio.TimerHandle | None = None
        self._lines = Lines()
        self._open(max_data_bytes)

    def _open(self, max_data_bytes: int) -> None:
        """Start the child and all that watches it; on failure leave nothing open and nobody alive."""
        with contextlib.ExitStack() as undo:
            self._channel = Channel(self._loop, self._on_frame)
            undo.callback(self._channel.close)
            self._stderr, output = os.pipe()
            undo.callback(os.close, self._stderr)
            try:
                self._popen = spawn(self._channel.theirs.fileno(), output)
            finally:
                os.close(output)
            self._channel.theirs.close()
            undo.callback(self._popen.wait)
            undo.callback(self._popen.kill)
            os.set_blocking(self._stderr, False)
            self.pid = self._popen.pid
            self._pidfd = os.pidfd_open(self.pid)
            undo.callback(os.close, self._pidfd)
            self._statm = os.open(f"/proc/{self.pid}/statm", os.O_RDONLY | os.O_CLOEXEC)
            undo.pop_all()
        self._channel.send(pickle.dumps((max_data_bytes, os.environ.get("PYTHONPATH"))))
        self._channel.open()
        self._loop.add_reader(self._stderr, self._on_stderr)
        self._loop.add_reader(self._pidfd, self._on_exit)

    @property
    def is_idle(self) -> bool:
        """Can it take a call?"""
        return self.is_ready and self.call is None and not self.leaving and not self.is_dead

    @property
    def unread(self) -> bool:
        """Of a dead child: did it end before it had read the last call?"""
        return self._channel.unread

    def begin(self, call: Call) -> None:
        """Send a call to a child that has none."""
        self.call = call
        call.sends += 1
        self._channel.send(call.request)

    def finish(self) -> Call:
        """Take the call from a child that has answered it."""
        assert self.call is not None
        call, self.call = self.call, None
        self.deadline = None
        self.tasks += 1
        self.clear_alarm()
        return call

    def set_alarm(self, seconds: float, callback: Callable[[WorkerProcess], None]) -> None:
        """Call back with this child after so long; there is one alarm at a time, the last one set."""
        self.clear_alarm()
        self._alarm = self._loop.call_later(seconds, callback, self)

    def clear_alarm(self) -> None:
        """Forget the alarm, if one is set."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def resident_bytes(self) -> int:
        """Its physical memory now, 0 once it is dead. A pread of about 3 µs."""
        try:
            return int(os.pread(self._statm, 128, 0).split()[1]) * PAGE_BYTES
        except (ProcessLookupError, IndexError):  # it is exiting; _on_exit follows
            return 0

    def retire(self) -> None:
        """Ask a child without a call to leave, by closing our half of the channel."""
        self._channel.end()

    def kill(self, reason: str, verdict: PoolError | None) -> None:
        """SIGKILL the child and what it started; its call fails with `verdict`. The first reason stands."""
        if not self.killed:
            self.killed = reason
            self.verdict = verdict
            self.leaving = self.leaving or reason
        self._kill_group()

    def _kill_group(self) -> None:
        """The numbers are not used again before `_on_exit` reaps the leader, so this hits nobody else."""
        with contextlib.suppress(ProcessLookupError):  # somebody else reaped it; _on_exit follows
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
            os.killpg(self.pid, signal.SIGKILL)

    def _on_frame(self, frame: memoryview) -> None:
        self._drain_stderr()  # before the next call: these lines belong to this one
        if self.killed:  # its verdict is what counts
            return
        if not self.is_ready:
            self.is_ready = True
            self._hooks.ready(self)
        else:
            self._hooks.answered(self, frame)

    def _on_stderr(self) -> None:
        """Pass on at most a pipe's worth of lines, so that a child that only writes cannot hold the loop."""
        try:
            data = os.read(self._stderr, CHUNK)
        except BlockingIOError:
            return
        if not data:
            self._loop.remove_reader(self._stderr)
        for line in self._lines.feed(data):
            self._hooks.wrote(self, line)

    def _drain_stderr(self) -> None:
        """Pass on what a pipe can hold, the last line whole or not."""
        self._on_stderr()
        for line in self._lines.rest():
            self._hooks.wrote(self, line)

    def _on_exit(self) -> None:
        """The child is a zombie: end what it started, take what it left, reap it, tell the crew."""
        self.is_dead = True
        self._kill_group()
        self._channel.drain()
        self._drain_stderr()
        exit_code = self._popen.wait()
        self._loop.remove_reader(self._stderr)
        self._loop.remove_reader(self._pidfd)
        self._channel.close()
        for fd in (self._stderr, self._pidfd, self._statm):
            os.close(fd)
        self._hooks.exited(self, exit_code)
