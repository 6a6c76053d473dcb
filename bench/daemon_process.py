"""A real `sexton run` in a process of its own: started, known to be READY, stopped by SIGTERM."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.stage import ROOT, ended

PATIENCE = 60.0
TEXT = """
suites = {suites}
[database]
url = "{url}"
state_dir = "{folder}/state"
[pool]
size = {workers}
[metrics]
listen = "127.0.0.1:0"
[admin]
listen = "127.0.0.1:0"
[log]
level = "warning"
format = "json"
"""
FLIGHTS = """
[suite.flights]
benchmark_file = "{folder}/results.json"
"""


@dataclass
class DaemonProcess:
    """`to_ready` is seconds from its start to READY=1."""

    process: asyncio.subprocess.Process
    to_ready: float

    @property
    def pid(self) -> int:
        return self.process.pid

    async def stop(self) -> float:
        """SIGTERM, and the seconds until it has exited."""
        began = time.perf_counter()
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            status = await self.process.wait()
        took = time.perf_counter() - began
        if status:
            raise RuntimeError(f"the daemon's exit status is {status}")
        return took


def configured(
    folder: Path, *, url: str = "embedded", suites: tuple[str, ...] = ("workers.flights",), workers: int = 5,
    more: str = "",
) -> Path:  # fmt: skip
    """Its configuration file; `more` is TOML that goes at its end."""
    file = folder / "config.toml"
    folder.mkdir(parents=True, exist_ok=True)
    text = TEXT + (FLIGHTS if "workers.flights" in suites else "") + more
    file.write_text(text.format(url=url, folder=folder, suites=list(suites), workers=workers))
    return file


@asynccontextmanager
async def daemon(config: Path, environment: Mapping[str, str] | None = None) -> AsyncIterator[DaemonProcess]:
    """READY when the block begins, gone when it ends."""
    address = config.parent / "notify"
    clean = {k: v for k, v in os.environ.items() if not k.startswith("SEXTON_")}
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
        notices.bind(str(address))
        notices.setblocking(False)
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "daemon", "--config", str(config), "run",
            cwd=ROOT, env={**clean, **(environment or {}), "NOTIFY_SOCKET": str(address)}, start_new_session=True,
        )  # fmt: skip
        try:
            async with asyncio.timeout(PATIENCE):
                await until_ready(notices, process)
            running = DaemonProcess(process, time.perf_counter() - began)
            hearing = asyncio.create_task(hear(notices))
            try:
                yield running
            finally:
                hearing.cancel()
                await asyncio.gather(hearing, return_exceptions=True)
        finally:
            await ended(process, grace=20)
            address.unlink(missing_ok=True)


async def until_ready(notices: socket.socket, process: asyncio.subprocess.Process) -> None:
    loop = asyncio.get_running_loop()
    gone = asyncio.create_task(process.wait())
    try:
        while True:
            said: asyncio.Future[Any] = asyncio.ensure_future(loop.sock_recv(notices, 4096))
            await asyncio.wait({said, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not said.done():
                said.cancel()
                raise RuntimeError(f"the daemon ended with {process.returncode} before it was READY")
            if b"READY=1" in said.result():
                return
    finally:
        gone.cancel()


async def hear(notices: socket.socket) -> None:
    """Take in what it says, or its socket fills."""
    while True:
        await asyncio.get_running_loop().sock_recv(notices, 4096)
