"""What systemd hears: the test is its socket."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from tests.system.stage import Stage
from tests.system.waiting import until

pytestmark = pytest.mark.quiet

WATCHDOG_SECONDS = 3


class Manager:
    """Keeps every message with the moment it came."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.heard: list[tuple[float, str]] = []

    def take(self, receiver: socket.socket) -> None:
        message = receiver.recv(65536).decode()
        self.heard += [(time.monotonic(), line) for line in message.splitlines()]

    def said(self, pattern: str) -> list[tuple[float, str]]:
        return [(at, line) for at, line in self.heard if re.search(pattern, line)]

    async def hears(self, pattern: str, count: int = 1) -> str:
        async def enough() -> str:
            found = self.said(pattern)
            return found[count - 1][1] if len(found) >= count else ""

        return await until(enough, f"{pattern!r} among {self.heard[-5:]}")


@asynccontextmanager
async def manager(folder: Path) -> AsyncIterator[Manager]:
    own = Manager(folder / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(own.path))
        receiver.setblocking(False)
        loop = asyncio.get_running_loop()
        loop.add_reader(receiver, own.take, receiver)
        try:
            yield own
        finally:
            loop.remove_reader(receiver)


def listening(systemd: Manager) -> dict[str, str]:
    return {"NOTIFY_SOCKET": str(systemd.path), "WATCHDOG_USEC": str(WATCHDOG_SECONDS * 1_000_000)}


async def test_systemd_is_told_of_the_start_the_state_and_the_end(stage: Stage) -> None:
    async with manager(stage.folder) as systemd:
        node = await stage.daemon(**listening(systemd))
        await systemd.hears(r"^READY=1$")
        await systemd.hears(r"^EXTEND_TIMEOUT_USEC=\d+$")  # while it started
        await systemd.hears(r"^STATUS=\d+ jobs, \d+ running, \d/2 workers busy, next \S+ at \d\d:\d\d:\d\d UTC$")
        await systemd.hears(r"^WATCHDOG=1$", count=3)
        node.signal(signal.SIGHUP)
        await systemd.hears(r"^RELOADING=1$")
        assert int((await systemd.hears(r"^MONOTONIC_USEC=")).partition("=")[2]) > 0
        await systemd.hears(r"^READY=1$", count=2)
        extended = len(systemd.said(r"^EXTEND_TIMEOUT_USEC="))
        assert await node.stop() == 0
        await systemd.hears(r"^STOPPING=1$")
        await systemd.hears(r"^EXTEND_TIMEOUT_USEC=", count=extended + 1)
        order = [line for _, line in systemd.heard]
        assert order.index("READY=1") < order.index("STOPPING=1")
    await stage.balance(ingested=False)


@pytest.mark.on("embedded")
async def test_a_blocked_event_loop_stops_the_watchdog_and_is_named_with_its_run(stage: Stage) -> None:
    async with manager(stage.folder) as systemd:
        node = await stage.daemon(**listening(systemd), SEXTON_NODE__LEASE="20s")
        await systemd.hears(r"^WATCHDOG=1$", count=2)
        (run,) = await stage.ask_for("trial.block", 5)
        blocked = await node.says("event loop blocked")
        await systemd.hears(r"^WATCHDOG=1$", count=len(systemd.said(r"^WATCHDOG=1$")) + 2)
        beats = [at for at, _ in systemd.said(r"^WATCHDOG=1$")]
        assert max(b - a for a, b in pairwise(beats)) > WATCHDOG_SECONDS
        assert blocked["run"] == run
        assert "block.py" in blocked["stack"]
        await stage.settled()
        assert await node.stop() == 0
    await stage.balance()


@pytest.mark.on("external")
async def test_a_lost_database_feeds_the_watchdog_and_is_in_the_status(stage: Stage) -> None:
    async with manager(stage.folder) as systemd:
        node = await stage.daemon(**listening(systemd))
        await stage.place.stop()
        await systemd.hears(r"^STATUS=database away for \d+ s")
        beats = len(systemd.said(r"^WATCHDOG=1$"))
        await systemd.hears(r"^WATCHDOG=1$", count=beats + 2)
        await stage.place.start()
        await systemd.hears(r"^STATUS=\d+ jobs")
        await stage.settled()
        assert await node.stop() == 0
    await stage.balance()
