"""A Pinot broker on loopback: a real HTTP server that gives each request the answer a test prepared."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Seen:
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class Broker:
    """`answer` is bytes to send as they are; `delay_s` passes first, and `cut_at` closes after so many bytes.
    With `byte_every_s` they come one by one.

    With `respond` each request gets the answer that function prepares for it.
    """

    url: str = ""
    answer: bytes = b""
    delay_s: float = 0.0
    cut_at: int | None = None
    byte_every_s: float = 0.0
    seen: list[Seen] = field(default_factory=list)
    respond: Callable[[Broker, Seen], None] | None = None

    def says(
        self, body: object, *, status: str = "200 OK", content_type: str | None = "application/json", more: str = ""
    ) -> None:
        """The next answer; `more` are further header lines."""
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(payload)}\r\nConnection: close\r\n{more}"
        head += f"Content-Type: {content_type}\r\n" if content_type else ""
        self.answer = head.encode() + b"\r\n" + payload

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            asked = Seen(head[0], headers, json.loads(body))
            self.seen.append(asked)
            await asyncio.sleep(self.delay_s)
            if self.respond is not None:
                self.respond(self, asked)
            await self.send(writer, self.answer[: self.cut_at])
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client gave up first, which some tests are about
        finally:
            writer.close()

    async def send(self, writer: asyncio.StreamWriter, answer: bytes) -> None:
        parts = [bytes([byte]) for byte in answer] if self.byte_every_s else [answer]
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(self.byte_every_s)


@asynccontextmanager
async def broker(port: int = 0, respond: Callable[[Broker, Seen], None] | None = None) -> AsyncIterator[Broker]:
    found = Broker(respond=respond)
    server = await asyncio.start_server(found.serve, "127.0.0.1", port)
    found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield found
    finally:
        server.close()
        await server.wait_closed()


def table(
    rows: Sequence[Sequence[object]], columns: Sequence[str] = ("ts", "latitude", "longitude"), **changes: object
) -> dict[str, object]:
    """A complete answer in Pinot's format."""
    answer: dict[str, object] = {
        "resultTable": {
            "dataSchema": {"columnNames": list(columns), "columnDataTypes": ["DOUBLE"] * len(columns)},
            "rows": [list(row) for row in rows],
        },
        "exceptions": [], "numServersQueried": 2, "numServersResponded": 2, "numSegmentsQueried": 3,
        "numSegmentsProcessed": 3, "numSegmentsMatched": 1, "numGroupsLimitReached": False, "partialResult": False,
        "totalDocs": 139098, "timeUsedMs": 7,
    }  # fmt: skip
    return {**answer, **changes}
