"""What the tests of the worker pool compute: each function is a small good deed or a small disaster."""

import asyncio
import ctypes
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

kept: dict[str, Any] = {}


def nothing() -> None:
    """The cheapest call there is."""


def pid() -> int:
    return os.getpid()


def add(a: int, b: int) -> int:
    return a + b


def echo(data: bytes) -> bytes:
    return data


async def add_slowly(a: int, b: int) -> int:
    await asyncio.sleep(0)
    return a + b


async def remember(value: str) -> int:
    """Leave a task running in the child's loop; the loop's id."""
    loop = asyncio.get_running_loop()
    kept["future"] = loop.create_future()
    kept["task"] = loop.create_task(_fulfil(value))
    return id(loop)


async def _fulfil(value: str) -> None:
    await asyncio.sleep(0.01)
    kept["future"].set_result(value)
    kept["at"] = time.monotonic()


async def recall() -> tuple[str, int, float]:
    """What the task said, the loop's id, and how long before this call the task was done, in seconds."""
    began = time.monotonic()
    return await kept["future"], id(asyncio.get_running_loop()), began - kept["at"]


def nested_loop() -> int:
    """A synchronous function may run a loop of its own."""
    return asyncio.run(add_slowly(20, 22))


class OddError(Exception):
    """Pickles, but does not unpickle: its __init__ wants more than args."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(f"{why} ({code})")


def fail(message: str) -> NoReturn:
    raise ValueError(message)


async def fail_slowly(message: str) -> NoReturn:
    await asyncio.sleep(0)
    raise LookupError(message)


def fail_oddly() -> NoReturn:
    raise OddError(7, "odd")


def leave_politely() -> NoReturn:
    sys.exit("no more")


def exit_hard(code: int) -> NoReturn:
    os._exit(code)


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


def crash() -> None:
    """A real segmentation fault, in C."""
    ctypes.string_at(0)


def hang() -> NoReturn:
    while True:
        time.sleep(3600)


def say_and_hang(path: str) -> NoReturn:
    """Write our pid to a file that did not exist, then hang."""
    part = Path(path + ".part")
    part.write_text(str(os.getpid()))
    part.rename(path)
    hang()


def wait_for(path: str) -> int:
    """Our pid, once that file exists."""
    while not Path(path).exists():
        time.sleep(0.005)
    return os.getpid()


def unpicklable() -> object:
    return lambda: None


class Homebody:
    """Pickles anywhere, and loads only in the process that made it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return stay_home, (os.getpid(),)


def stay_home(home: int) -> None:
    if os.getpid() != home:
        raise RuntimeError("far from home")


def homebody() -> Homebody:
    return Homebody()


def allocate(size: int) -> int:
    """Hold that many bytes for good, and our pid."""
    kept["bytes"] = bytearray(os.urandom(4096)) * (size // 4096)
    return os.getpid()


def allocate_and_hang(size: int) -> NoReturn:
    allocate(size)
    hang()


def speak(line: str, times: int = 1) -> None:
    for _ in range(times):
        print(line, file=sys.stderr)


def print_partly(text: str) -> None:
    print(text, end="")


def limits() -> dict[str, str]:
    """What a child is like."""
    return {
        "oom": Path("/proc/self/oom_score_adj").read_text().strip(),
        "loaded": ",".join(sorted({name.partition(".")[0] for name in sys.modules})),
        "pythonpath": os.environ.get("PYTHONPATH", ""),
        "threads": os.environ["OPENBLAS_NUM_THREADS"] + os.environ["OMP_NUM_THREADS"],
    }


def start_grandchild() -> int:
    """A program that outlives the call that started it; its pid."""
    import subprocess

    program = kept["popen"] = subprocess.Popen(["sleep", "3600"])
    return program.pid


def die_after(seconds: float) -> int:
    """Answer, then die between calls; our pid."""
    import threading

    threading.Timer(seconds, os._exit, (9,)).start()
    return os.getpid()
