"""A payment provider on loopback, in a process of its own: every order it is asked about was paid by one attempt."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import hmac
import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from bench.measure import CpuMeter

SIGN_EVERY = 0.05
AMOUNT = 49950


class Limit:
    """Of requests a second: a second's worth may come at once, what is beyond that is refused."""

    def __init__(self, per_second: float) -> None:
        self.per_second, self.left, self.at = per_second, per_second, time.monotonic()
        self.refused = 0

    def allows(self) -> bool:
        now = time.monotonic()
        self.left = min(self.per_second, self.left + (now - self.at) * self.per_second)
        self.at = now
        if self.left < 1:
            self.refused += 1
            return False
        self.left -= 1
        return True


def payment(order: str) -> dict[str, Any]:
    return {
        "id": f"pay_{order.removeprefix('order_')}", "entity": "payment", "amount": AMOUNT, "currency": "INR",
        "status": "captured", "order_id": order, "method": "upi", "amount_refunded": 0, "refund_status": None,
        "captured": True, "error_description": None, "created_at": 1795329000,
    }  # fmt: skip


def answered(body: bytes, status: str = "200 OK", kind: str = "application/json") -> bytes:
    return f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


async def serve_payments(limit: Limit, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError, asyncio.IncompleteReadError):
        while True:
            target = (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1].decode()
            items = [payment(target.split("/")[-2])]
            body = json.dumps({"entity": "collection", "count": 1, "items": items}).encode()
            writer.write(answered(body) if limit.allows() else answered(b"{}", "429 Too Many Requests"))
    writer.close()


async def serve_bare(_: Limit, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The least that a webhook takes: read, check the signature, answer, close. Nothing is kept."""
    with suppress(OSError, asyncio.IncompleteReadError):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        body = await reader.readexactly(int(headers["content-length"]))
        good = hmac.compare_digest(
            hmac.new(b"secret", body, hashlib.sha256).hexdigest(), headers["x-razorpay-signature"]
        )
        writer.write(answered(b"kept", "200 OK" if good else "401 Unauthorized"))
        await writer.drain()
    writer.close()


async def main(kind: str, port_file: str, sign: str, per_second: float) -> dict[str, Any]:
    """Serve until the file `sign` is gone; its port and pid are written to `port_file` when it listens.

    Returns CPU seconds, and how many requests were `refused` for being more than `per_second`.
    """
    limit = Limit(per_second)
    serve = functools.partial({"payments": serve_payments, "bare": serve_bare}[kind], limit)
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    meter = CpuMeter(os.getpid())
    partial = Path(f"{port_file}.partial")
    partial.write_text(f"{server.sockets[0].getsockname()[1]} {os.getpid()}")
    partial.rename(port_file)
    while Path(sign).exists():
        await asyncio.sleep(SIGN_EVERY)
    server.close()
    return {"cpu": meter.sample(), "refused": limit.refused}
