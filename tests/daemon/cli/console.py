"""Running `sexton` from tests: in a thread where that tells all, as a real process where a process is the promise."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from daemon.cli import main

SUITES = Path(__file__).parent / "suites"
ROOT = Path(__file__).parents[3]
PATIENCE = 60.0


@dataclass(frozen=True)
class Done:
    """How a command ended: exit status, standard output, standard error."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def ok(self) -> Done:
        assert self.status == 0, self.err
        return self


@dataclass(frozen=True)
class Console:
    """`sexton` with the environment of a test."""

    environment: Mapping[str, str]
    capture: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch

    def __call__(self, *arguments: object) -> Done:
        """In a thread of this process, which has an event loop of its own."""
        self.capture.readouterr()
        self.patch.setattr(sys, "argv", ["sexton", *map(str, arguments)])
        status: list[int] = []
        thread = threading.Thread(target=lambda: status.append(main.run()))
        with self.patch.context() as patched:
            for name, value in self.environment.items():
                patched.setenv(name, value)
            thread.start()
            thread.join(PATIENCE)
        said = self.capture.readouterr()
        assert status, f"sexton {arguments} left by an exception, or not at all:\n{said.err}"
        return Done(status[0], said.out, said.err)

    async def beside(self, *arguments: object) -> Done:
        """The same for an async test, whose own loop goes on meanwhile. Not for what listens to signals."""
        return await asyncio.to_thread(self, *arguments)

    async def process(self, *arguments: object, **more: str) -> Done:
        async with self.started(*arguments, **more) as process:
            out, err = await asyncio.wait_for(process.communicate(), PATIENCE)
            assert process.returncode is not None
            return Done(process.returncode, out.decode(), err.decode())

    @asynccontextmanager
    async def started(self, *arguments: object, **more: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """A running `sexton`; killed at the end if the test did not end it."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "daemon", *map(str, arguments),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd=ROOT,
            env={**os.environ, **self.environment, **more},
        )  # fmt: skip
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()  # also closes the pipes


def environment(url: str, state: Path) -> dict[str, str]:
    return {
        "PYTHONPATH": str(SUITES),
        "SEXTON_SUITES": "house",
        "SEXTON_CONFIG": os.devnull,
        "SEXTON_DATABASE__URL": url,
        "SEXTON_DATABASE__STATE_DIR": str(state),
        "SEXTON_DATABASE__FSYNC": "false",
        "SEXTON_METRICS__LISTEN": "off",
        "SEXTON_ADMIN__LISTEN": "off",
        "SUDO_USER": "ann",
        "NO_COLOR": "1",
    }


async def settled(connection: asyncpg.Connection, run: int) -> asyncpg.Record:
    """The run's row once it has ended."""
    async with asyncio.timeout(PATIENCE):
        while True:
            row = await connection.fetchrow("SELECT * FROM sexton.run WHERE id = $1", run)
            assert row is not None
            if row["state"] not in ("waiting", "held", "ready", "running"):
                return row
            await asyncio.sleep(0.02)


async def until(condition: Callable[[], Any]) -> Any:
    """The first true answer of an `async def` asked again and again."""
    async with asyncio.timeout(PATIENCE):
        while not (answer := await condition()):
            await asyncio.sleep(0.02)
        return answer


def besides_delays(said: str) -> str:
    """Without the word of `--wait` that nobody has begun a run for a while: a busy machine may take that long."""
    return "".join(line for line in said.splitlines(keepends=True) if not line.startswith("nobody has begun it yet"))


def lines(text: str) -> Iterator[str]:
    return (line for line in text.splitlines() if line)
