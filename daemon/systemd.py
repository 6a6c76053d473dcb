"""What systemd is told: READY, STATUS, WATCHDOG, EXTEND_TIMEOUT, STOPPING. Silent when nobody listens."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

EXTEND_EVERY, EXTEND_BY = 20.0, 60.0  # seconds


class Notifier:
    """Writes to `$NOTIFY_SOCKET` (sd_notify(3)); without one, every call does nothing."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._said = ""
        usec = environment.get("WATCHDOG_USEC", "")
        pid = environment.get("WATCHDOG_PID", "")
        ours = not pid or pid == str(os.getpid())
        self.watchdog_seconds: float | None = int(usec) / 1e6 if usec.isdigit() and ours else None

    def __bool__(self) -> bool:
        return bool(self._address)

    def ready(self, status: str) -> None:
        self._send(f"READY=1\nSTATUS={_one_line(status)}")

    def status(self, status: str) -> None:
        if status != self._said:
            self._said = status
            self._send(f"STATUS={_one_line(status)}")

    def reloading(self) -> None:
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def watchdog(self) -> None:
        self._send("WATCHDOG=1")

    def extend(self, seconds: float) -> None:
        """More time to start or stop, beyond what the unit allows."""
        self._send(f"EXTEND_TIMEOUT_USEC={int(seconds * 1e6)}")

    @contextmanager
    def unhurried(self) -> Iterator[None]:
        """More time, again and again, for as long as the block runs and the event loop goes round.

        What has no bound of its own goes inside: a recovery, a migration, a wait for another node's.
        """

        async def ask() -> None:
            while True:
                self.extend(EXTEND_BY)
                await asyncio.sleep(EXTEND_EVERY)

        asking = asyncio.get_running_loop().create_task(ask(), name="more time")
        try:
            yield
        finally:
            asking.cancel()

    def stopping(self, status: str) -> None:
        self._send(f"STOPPING=1\nSTATUS={_one_line(status)}")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
            try:
                out.connect(self._address)
                out.sendall(message.encode())
            except OSError:
                return  # the manager is away, perhaps for a moment only (daemon-reexec): the next notice may reach it


def _one_line(status: str) -> str:
    """A line break would begin an assignment of its own, and an error's text may have one."""
    return " ".join(status.split("\n"))
