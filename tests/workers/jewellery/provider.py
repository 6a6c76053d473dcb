"""A payment provider on loopback that answers as Razorpay does, and misbehaves when it is told to."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

KEY, SECRET = "rzp_test_key", "correct horse"
UNKNOWN = {
    "error": {
        "code": "BAD_REQUEST_ERROR", "description": "The id provided does not exist", "field": None,
        "source": "business", "step": "payment_initiation", "reason": "input_validation_failed", "metadata": {},
    }
}  # fmt: skip
JSON = "application/json; charset=UTF-8"


def entity(
    attempt: str, order: str | None, status: str = "captured", amount: int = 49950, **more: Any
) -> dict[str, Any]:
    """A payment as the documentation shows it."""
    return {
        "id": attempt, "entity": "payment", "amount": amount, "currency": "INR", "status": status, "order_id": order,
        "invoice_id": None, "international": False, "method": "upi", "amount_refunded": 0, "refund_status": None,
        "captured": status == "captured", "description": "Ring", "card_id": None, "bank": None, "wallet": None,
        "vpa": "asha@upi", "email": "c1@example.org", "contact": "+919999999999", "notes": [], "fee": 1179, "tax": 180,
        "error_code": None, "error_description": None, "error_source": None, "error_step": None, "error_reason": None,
        "acquirer_data": {"rrn": "001234567890"}, "created_at": 1795329000, **more,
    }  # fmt: skip


def event(kind: str, payment: dict[str, Any]) -> bytes:
    """The body of a webhook."""
    return json.dumps({
        "entity": "event", "account_id": "acc_1", "event": kind, "contains": ["payment"],
        "payload": {"payment": {"entity": payment}}, "created_at": 1795329001,
    }).encode()  # fmt: skip


def signature(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@dataclass
class Provider:
    """`payments` by attempt; `trouble` by path, or "*": what comes instead of the answer. `asked`: method and path."""

    payments: dict[str, dict[str, Any]] = field(default_factory=dict)
    trouble: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    port: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def tells(self, attempt: str, order: str, status: str = "captured", amount: int = 49950, **more: Any) -> None:
        self.payments[attempt] = entity(attempt, order, status, amount, **more)

    def settings(self, **more: Any) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self.port}/v1"
        return {"base_url": url, "key_id": KEY, "key_secret": SECRET, "per_second": 10_000, "timeout_s": 30, **more}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                method, target, _ = head.split(" ", 2)
                length = next(
                    (int(line[15:]) for line in head.lower().split("\r\n") if line.startswith("content-length:")), 0
                )
                body = await reader.readexactly(length)
                path = target.removeprefix("/v1/")
                self.asked.append(f"{method} {path}")
                if not await self._trouble(self.trouble.get(path, self.trouble.get("*")), writer):
                    status, value = self.answer(method, path, body, head)
                    writer.write(response(status, json.dumps(value).encode()))
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _trouble(self, what: Any, writer: asyncio.StreamWriter) -> bool:
        """Whether that was the answer. A number hangs for ever; octets are sent as they are, and the line is cut."""
        match what:
            case None:
                return False
            case "hang":
                await self.released.wait()
                raise ConnectionResetError
            case "reset":
                writer.transport.abort()
                raise ConnectionResetError
            case bytes():
                writer.write(what)
                await writer.drain()
                writer.write_eof()
                raise ConnectionResetError
            case (status, headers, text):
                writer.write(response(status, text, **headers))
                return True
        raise AssertionError(what)

    def answer(self, method: str, path: str, body: bytes, head: str) -> tuple[int, Any]:
        if f"Basic {base64.b64encode(f'{KEY}:{SECRET}'.encode()).decode()}" not in head:
            return 401, {"error": {"code": "BAD_REQUEST_ERROR", "description": "Authentication failed"}}
        kind, _, rest = path.partition("/")
        id_, _, deed = rest.partition("/")
        if (kind, deed) == ("orders", "payments"):
            items = [payment for payment in self.payments.values() if payment["order_id"] == id_]
            return 200, {"entity": "collection", "count": len(items), "items": items}
        if kind != "payments" or id_ not in self.payments:
            return 400, UNKNOWN
        payment = self.payments[id_]
        if (method, deed) == ("POST", "capture"):
            asked = json.loads(body)
            if payment["captured"] or (asked["amount"], asked["currency"]) != (payment["amount"], payment["currency"]):
                return 400, {
                    "error": {"code": "BAD_REQUEST_ERROR", "description": "This payment has already been captured"}
                }
            payment |= {"status": "captured", "captured": True}
        return 200, payment


def response(status: int, body: bytes, content_type: str = JSON, **headers: str) -> bytes:
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {status} X\r\ncontent-type: {content_type}\r\ncontent-length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


@asynccontextmanager
async def provider() -> AsyncIterator[Provider]:
    made = Provider()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        made.released.set()
        server.close()
        await server.wait_closed()
