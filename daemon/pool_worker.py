"""The child side of the worker pool: `python -P daemon/pool_worker.py FD PARENT_PID`.

It reads one call from FD, computes it, writes the outcome to FD, and begins again until FD is closed. Nothing
is imported that a call does not need, not even our own package: a child starts in about 30 ms, and asyncio
comes with the first asynchronous function.

A frame is an unsigned 64-bit big-endian length, then that many bytes:
- setup (first, from the parent): pickle of `Setup` as a plain tuple; an empty frame answers that we are ready;
- call (from the parent): pickle of `(module, qualname, args)`;
- outcome (from the child): pickle of `(True, value)`, or of
  `(False, type name, message, traceback text, pickled exception or None)`.
There is never more than one call in flight, so a frame is never followed by another.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import pickle
import signal
import struct
import sys
from collections.abc import Callable, Coroutine
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, cast

if TYPE_CHECKING:
    import asyncio

HEADER = struct.Struct("!Q")
CHUNK = 1 << 16
PR_SET_PDEATHSIG = 1
FIRST_VICTIM = "500"
"""Of -1000 … 1000, to the kernel's OOM killer: a worker dies long before the supervisor."""


class Setup(NamedTuple):
    """What a child is told first. `max_data_bytes` 0: no limit; `pythonpath`: the parent's, if it had one."""

    max_data_bytes: int
    pythonpath: str | None


def read_frame(fd: int) -> memoryview | None:
    """The next whole frame of a blocking stream, without its header; None at the end of the stream."""
    head = os.read(fd, CHUNK)
    if not head:
        return None
    (size,) = HEADER.unpack_from(head)
    if len(head) == HEADER.size + size:
        return memoryview(head)[HEADER.size :]
    body = memoryview(bytearray(size))
    filled = len(head) - HEADER.size
    body[:filled] = head[HEADER.size :]
    while filled < size:
        count = os.readv(fd, [body[filled:]])
        if count == 0:
            return None
        filled += count
    return body


def write_frame(fd: int, payload: bytes) -> None:
    """Write one frame to a blocking stream, without a copy of it. OSError when the other end is gone."""
    sent = os.writev(fd, [HEADER.pack(len(payload)), payload]) - HEADER.size
    while sent < len(payload):
        sent += os.write(fd, memoryview(payload)[sent:])


class Bodies:
    """Runs functions in the main thread; asynchronous ones share one event loop for the life of the process.

    A synchronous function finds no loop running, so it may use `asyncio.run` as it likes.
    """

    def __init__(self) -> None:
        self._runner: asyncio.Runner | None = None

    def run(self, function: Callable[..., object], args: tuple[object, ...]) -> object:
        """The function's value; whatever it raises passes through."""
        value = function(*args)
        if not hasattr(value, "__await__"):
            return value
        if self._runner is None:
            import asyncio  # most children never need it: 60 ms and 10 MB

            self._runner = asyncio.Runner()
        return self._runner.run(cast("Coroutine[Any, Any, object]", value))

    def idle(self, fd: int) -> None:
        """Let the loop live until `fd` is readable: connections that calls left open keep being served."""
        if self._runner is None:
            return
        loop = self._runner.get_loop()
        loop.add_reader(fd, loop.stop)
        try:
            loop.run_forever()
        finally:
            loop.remove_reader(fd)

    def close(self) -> None:
        """Cancel what calls left running, and close the loop."""
        if self._runner is not None:
            self._runner.close()


@cache
def resolve(module: str, qualname: str) -> Callable[..., object]:
    """The function of that name. ImportError or AttributeError when there is none."""
    found: Any = importlib.import_module(module)
    for name in qualname.split("."):
        found = getattr(found, name)
    return cast("Callable[..., object]", found)


def outcome_of(call: memoryview, bodies: Bodies) -> bytes:
    """Compute one call and describe how it ended; nothing it does escapes but the death of the process."""
    try:
        module, qualname, args = pickle.loads(call)  # noqa: S301 - from our parent
        value = bodies.run(resolve(module, qualname), args)
    except BaseException as error:  # noqa: BLE001 - the parent decides, also about SystemExit
        return failure(error)
    try:
        return pickle.dumps((True, value), protocol=5)
    except Exception as error:  # noqa: BLE001 - __reduce__ is anyone's code
        return failure(TypeError(f"the result, a {type(value).__qualname__}, cannot be pickled: {error}"))


def failure(error: BaseException) -> bytes:
    """The outcome frame of a call that raised."""
    import traceback  # with linecache and tokenize behind it, which a child without errors does without

    if error.__traceback__ is not None:
        error.__traceback__ = error.__traceback__.tb_next  # our own frame says nothing
    text = "".join(traceback.format_exception(error))
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    try:
        message = str(error)
    except Exception as broken:  # noqa: BLE001 - __str__ is anyone's code
        message = f"(its __str__ raised {broken!r})"
    return pickle.dumps((False, name, message, text, _pickled(error)), protocol=5)


def _pickled(error: BaseException) -> bytes | None:
    """The exception as bytes that are known to load again; None for one that cannot travel.

    Exceptions with an `__init__` of their own often pickle and then fail to load: hence the trial.
    """
    try:
        data = pickle.dumps(error, protocol=5)
        pickle.loads(data)  # noqa: S301 - our own
    except Exception:  # noqa: BLE001 - the failure itself travels as text; the object is a convenience
        return None
    return data


def serve(fd: int) -> None:
    """Answer calls until the parent closes the channel."""
    bodies = Bodies()
    while True:
        bodies.idle(fd)
        call = read_frame(fd)
        if call is None:
            break
        outcome = outcome_of(call, bodies)
        del call
        flush()
        write_frame(fd, outcome)
    bodies.close()


def flush() -> None:
    """Send buffered output ahead of the outcome, so that it is known which call wrote it."""
    for stream in (sys.stdout, sys.stderr):
        if not stream.closed:  # a function may have closed it
            stream.flush()


def die_with(parent: int) -> None:
    """Have the kernel kill us when the parent dies, and leave now if it already has."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:
        os._exit(1)


def ignore_signals() -> None:
    """When to stop is the supervisor's decision. The parent blocked both signals before it started us."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})


def settle(setup: Setup) -> None:
    """Apply limits, and give programs that functions start the environment the parent had."""
    os.environ.pop("PYTHONPATH", None)
    if setup.pythonpath is not None:
        os.environ["PYTHONPATH"] = setup.pythonpath
    if setup.max_data_bytes:
        import resource  # only where a limit is wanted

        resource.setrlimit(resource.RLIMIT_DATA, (setup.max_data_bytes, setup.max_data_bytes))
    try:
        with open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123 - pathlib costs start-up time
            file.write(FIRST_VICTIM)
    except OSError as error:
        print(f"oom_score_adj stays as it was: {error}", file=sys.stderr)  # noqa: T201 - stderr is the log here


def main() -> None:
    """Prepare this process, say so, and serve."""
    fd, parent = int(sys.argv[1]), int(sys.argv[2])
    die_with(parent)
    ignore_signals()
    os.set_inheritable(fd, False)
    cast("Any", sys.stdout).reconfigure(line_buffering=True)
    setup = read_frame(fd)
    if setup is None:
        return
    settle(Setup(*pickle.loads(setup)))  # noqa: S301 - from our parent
    write_frame(fd, b"")
    serve(fd)


if __name__ == "__main__":
    main()
