"""Webhook calls at a fixed rate, whether or not those before were answered; each on a connection of its own."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from contextlib import suppress
from typing import Any

from bench.payments_provider import payment


def request(n: int) -> bytes:
    body = json.dumps({
        "entity": "event", "event": "payment.captured", "payload": {"payment": {"entity": payment(f"order_p{n}")}},
    }).encode()  # fmt: skip
    signature = hmac.new(b"secret", body, hashlib.sha256).hexdigest()
    head = (
        f"POST /hooks/jewellery/razorpay HTTP/1.1\r\nhost: shop\r\ncontent-type: application/json\r\n"
        f"x-razorpay-event-id: evt_{n}\r\nx-razorpay-signature: {signature}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def call(port: int, octets: bytes, at: float) -> tuple[int, float]:
    """The answer's status, and seconds since it should have been called: a caller that is late is not forgiven."""
    answer = b" 0 "  # the line was closed without one: the provider would call again
    with suppress(OSError, asyncio.IncompleteReadError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(octets)
        answer = await reader.readuntil(b"\r\n")
        writer.close()
    return int(answer.split(b" ")[1]), time.perf_counter() - at


async def main(port: int, calls: int, per_second: float, first: int) -> dict[str, Any]:
    """Statuses with their counts, and the latencies in seconds."""
    requests = [request(n) for n in range(first, first + calls)]
    begun = time.perf_counter() + 0.1
    asked = []
    for n, octets in enumerate(requests):
        at = begun + n / per_second
        await asyncio.sleep(at - time.perf_counter())
        asked.append(asyncio.create_task(call(port, octets, at)))
    answers = await asyncio.gather(*asked)
    statuses: dict[int, int] = {}
    for status, _ in answers:
        statuses[status] = statuses.get(status, 0) + 1
    return {"statuses": statuses, "latencies": [took for _, took in answers], "seconds": time.perf_counter() - begun}
