"""A program run for a job: its output bounded, its deadline kept, nothing of it left behind."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

OURS = ("SEXTON_", "CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET", "WATCHDOG_")
"""Beginnings of variables that are for the daemon alone: its settings, and how it speaks with systemd."""
OUTPUT_LIMIT = 1 << 20
LAST_WORDS = 2000


class CommandError(Exception):
    """A program that failed: `returncode` is negative for a signal; `stderr` is the end of what it said."""

    def __init__(self, program: str, returncode: int, stderr: str) -> None:
        super().__init__(f"{program} ended with status {returncode}: {stderr.strip()[-LAST_WORDS:]}")
        self.returncode = returncode
        self.stderr = stderr


@dataclass(frozen=True, slots=True)
class Finished:
    stdout: bytes
    stderr: str


async def run_command(
    arguments: Sequence[str], *, timeout: timedelta | None, environment: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] | None = None,
) -> Finished:  # fmt: skip
    """Run a program (never through a shell) to its end, at most for `timeout`; None sets no deadline.

    Keeps the first MiB of each output; `on_line` is given each line of standard error as it comes. Raises
    `CommandError` for a status other than 0, `TimeoutError` past the deadline, `FileNotFoundError` for an unknown
    program. However it ends, its whole process group is gone. It inherits the environment without the daemon's
    settings, secrets above all; `environment` is added.
    """
    process = await asyncio.create_subprocess_exec(
        *arguments, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE, start_new_session=True, env={**_inherited(), **(environment or {})},
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async with asyncio.timeout(timeout.total_seconds() if timeout is not None else None):
            reading = _read(process.stdout), _read(process.stderr, on_line)
            out, err, status = await asyncio.gather(*reading, process.wait())
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await asyncio.shield(process.wait())
    text = err.decode(errors="replace")
    if status != 0:
        raise CommandError(arguments[0], status, text)
    return Finished(out, text)


def _inherited() -> dict[str, str]:
    from daemon.config import ENVIRONMENT_ALIASES  # most suites run no program

    return {k: v for k, v in os.environ.items() if not k.startswith(OURS) and k not in ENVIRONMENT_ALIASES}


async def _read(stream: asyncio.StreamReader, on_line: Callable[[str], None] | None = None) -> bytes:
    """The first part; the rest is read too, so that the program never waits for us, and dropped."""
    kept, begun = bytearray(), b""
    while data := await stream.read(65536):
        kept += data[: OUTPUT_LIMIT - len(kept)]
        if on_line is not None:
            *whole, begun = (begun + data).split(b"\n")
            for line in whole:
                on_line(line.decode(errors="replace"))
    if on_line is not None and begun:
        on_line(begun.decode(errors="replace"))
    return bytes(kept)
