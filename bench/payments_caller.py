"""Webhook calls at a fixed rate, whether or not those before were answered; each on a connection of its own.

Requests are octets made beforehand and answers are looked at for their status alone, so that the caller costs a
fraction of what it calls. How late it was itself is reported, too.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections import Counter
from typing import Any, cast

from bench.measure import percentile
from bench.payments_provider import payment

CUT_OFF = 0
"""The status of a call whose line was closed without an answer: the provider would call again."""


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


class Call(asyncio.Protocol):
    """`answered`: its status, and when."""

    def __init__(self, octets: bytes, answered: asyncio.Future[tuple[int, float]]) -> None:
        self._octets, self._answered, self._head = octets, answered, b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by its bases
        self._transport.write(self._octets)

    def data_received(self, data: bytes) -> None:
        self._head += data
        if b"\r\n" in self._head and not self._answered.done():
            self._answered.set_result((int(self._head.split(b" ", 2)[1]), time.perf_counter()))
            assert self._transport is not None
            self._transport.close()

    def connection_lost(self, _: Exception | None) -> None:
        if not self._answered.done():
            self._answered.set_result((CUT_OFF, time.perf_counter()))


async def call(port: int, octets: bytes, at: float) -> tuple[int, float]:
    """The answer's status, and seconds since it should have been called: a caller that is late is not forgiven."""
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[tuple[int, float]] = loop.create_future()
    try:
        await loop.create_connection(lambda: Call(octets, answered), "127.0.0.1", port)
    except OSError:
        return CUT_OFF, time.perf_counter() - at
    status, then = await answered
    return status, then - at


async def main(port: int, calls: int, per_second: float, first: int) -> dict[str, Any]:
    """Statuses with their counts, latencies in seconds, and how late 99 of 100 calls were begun."""
    requests = [request(n) for n in range(first, first + calls)]
    begun = time.perf_counter() + 0.1
    asked, late = [], []
    for n, octets in enumerate(requests):
        at = begun + n / per_second
        await asyncio.sleep(at - time.perf_counter())
        late.append(time.perf_counter() - at)
        asked.append(asyncio.create_task(call(port, octets, at)))
    answers = await asyncio.gather(*asked)
    return {
        "statuses": Counter(str(status) for status, _ in answers), "latencies": [took for _, took in answers],
        "late": percentile(late, 99),
    }  # fmt: skip
