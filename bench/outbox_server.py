"""An SMTP server on loopback, in a process of its own: takes every mail and counts them by Message-ID."""

from __future__ import annotations

import asyncio
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP

from bench.measure import CpuMeter

MESSAGE_ID = re.compile(rb"^Message-ID: *(\S+)", re.IGNORECASE | re.MULTILINE)
SIGN_EVERY = 0.05


class Counting:
    """What was received, by Message-ID; octets of all of it."""

    def __init__(self) -> None:
        self.ids: Counter[bytes] = Counter()
        self.octets = 0

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name for it
        found = MESSAGE_ID.search(envelope.content)
        self.ids[found[1] if found else b""] += 1
        self.octets += len(envelope.content)
        return "250 OK"


async def main(port_file: str, sign: str) -> dict[str, Any]:
    """Serve until the file `sign` is gone; its port is written to `port_file` when it listens."""
    loop, counting, connections = asyncio.get_running_loop(), Counting(), 0

    def protocol() -> SMTP:
        nonlocal connections
        connections += 1
        return SMTP(counting, loop=loop, enable_SMTPUTF8=True, data_size_limit=10_000_000)

    server = await loop.create_server(protocol, "127.0.0.1", 0)
    meter = CpuMeter(os.getpid())
    partial = Path(f"{port_file}.partial")
    partial.write_text(str(server.sockets[0].getsockname()[1]))
    partial.rename(port_file)
    while Path(sign).exists():
        await asyncio.sleep(SIGN_EVERY)
    server.close()
    mails, distinct = counting.ids.total(), len(counting.ids)
    return {
        "mails": mails, "distinct": distinct, "octets": counting.octets, "connections": connections,
        "cpu": meter.sample(),
    }  # fmt: skip
