"""The least that sending mail takes: finished octets, handed to as many aiosmtplib connections, nothing remembered."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any

import aiosmtplib

from bench.measure import CpuMeter

SENDER = "sexton@example.org"
MAIL = """\
From: Sexton <sexton@example.org>
To: {to}
Subject: {subject}
Message-ID: <{number}@example.org>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

{body}
"""


async def main(port: int, mails: int, connections: int, octets: int) -> dict[str, Any]:
    """Seconds from the first connection until the last mail is taken; each mail is of so many octets."""
    numbers = iter(range(mails))
    meter = CpuMeter(os.getpid())
    began = time.perf_counter()
    await asyncio.gather(*(one_connection(port, numbers, octets) for _ in range(connections)))
    return {"seconds": time.perf_counter() - began, "cpu": meter.sample()}


async def one_connection(port: int, numbers: Any, octets: int) -> None:
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False, use_tls=False) as smtp:
        for number in numbers:
            to = f"person{number}@example.com"
            await smtp.sendmail(SENDER, [to], filled(to, number, octets))


def filled(to: str, number: int, octets: int) -> bytes:
    head = MAIL.format(to=to, number=number, subject="Your returns", body="")
    lines = "x" * 70 + "\n"
    return (head + lines * max(1, (octets - len(head)) // len(lines))).replace("\n", "\r\n").encode()
