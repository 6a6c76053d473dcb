"""A real daemon process: its log lines as they come, its workers, its end."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.system import processes
from tests.system.waiting import PATIENCE, until

ROOT = Path(__file__).parents[2]
SUITES = Path(__file__).parent / "suites"
LONGEST_LINE = 1 << 20
DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL") if shutil.which("setpriv") else ()
"""So that nothing survives a test run that is itself killed; setpriv becomes the daemon, whose pid this is."""


class Node:
    """`lines` are its JSON log lines; what is no JSON has `event` alone."""

    def __init__(self, process: Process, environment: Mapping[str, str]) -> None:
        self.process = process
        self.pid = process.pid
        self.environment = environment
        self.lines: list[dict[str, Any]] = []
        self.began = time.monotonic()
        self._news = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, environment: Mapping[str, str], *command: str) -> Node:
        """`sexton run`, or another command, with nothing of our own environment but what it needs."""
        process = await asyncio.create_subprocess_exec(
            *DIES_WITH_US, sys.executable, "-m", "daemon", *(command or ("run",)),
            stdin=DEVNULL, stdout=PIPE, stderr=asyncio.subprocess.STDOUT, env=environment, cwd=ROOT,
            limit=LONGEST_LINE, start_new_session=True,
        )  # fmt: skip
        return cls(process, environment)

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for raw in self.process.stdout:
            text = raw.decode(errors="replace").rstrip("\n")
            try:
                line = json.loads(text)
            except ValueError:
                line = None
            self.lines.append(line if isinstance(line, dict) else {"event": text})
            self._news.set()
        self._news.set()

    def said(self, pattern: str) -> list[dict[str, Any]]:
        """The lines so far whose text matches."""
        return [line for line in self.lines if re.search(pattern, str(line.get("event", "")))]

    async def says(self, pattern: str, count: int = 1, seconds: float = PATIENCE) -> dict[str, Any]:
        """The count-th line that matches, now or as soon as it is written."""
        deadline = time.monotonic() + seconds
        while len(found := self.said(pattern)) < count:
            ended = self._reader.done()
            assert not ended, f"{pattern!r} was not said before the end:\n{self.log(20)}"
            self._news.clear()
            left = deadline - time.monotonic()
            assert left > 0, f"{pattern!r} was not said within {seconds:g} s"
            try:
                await asyncio.wait_for(self._news.wait(), left)
            except TimeoutError:
                continue
        return found[count - 1]

    async def ready(self, seconds: float = PATIENCE) -> None:
        await self.says(r"is ready$", seconds=seconds)

    def log(self, last: int = 60) -> str:
        """Its last lines, without those that come by the hundred."""
        told = [
            line
            for line in self.lines
            if not re.search(r": saved \d+$|trial\.\w+ (started|succeeded)$", str(line.get("event", "")))
        ]
        return "\n".join(json.dumps(line, default=str)[:600] for line in told[-last:])

    @property
    def alive(self) -> bool:
        return self.process.returncode is None

    def workers(self) -> list[int]:
        return [p for p in processes.children(self.pid) if any("pool_worker" in a for a in processes.arguments(p))]

    async def some_workers(self, count: int = 1) -> list[int]:
        async def enough() -> list[int]:
            found = self.workers()
            return found if len(found) >= count else []

        return await until(enough, f"{count} workers")

    def signal(self, number: signal.Signals) -> None:
        if self.alive:
            self.process.send_signal(number)

    async def ended(self, seconds: float = PATIENCE) -> int:
        """Its exit status; everything it said has been read then."""
        async with asyncio.timeout(seconds):
            status = await self.process.wait()
        async with asyncio.timeout(seconds):
            await self._reader
        return status

    async def stop(self, seconds: float = PATIENCE) -> int:
        self.signal(signal.SIGTERM)
        return await self.ended(seconds)

    async def kill(self) -> None:
        """kill -9, of the daemon alone: what it started has to notice by itself."""
        self.signal(signal.SIGKILL)
        await self.ended()
