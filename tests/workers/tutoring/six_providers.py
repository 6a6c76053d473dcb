"""A real HTTP server on loopback that is all six AI providers, each under its own path and in its own words."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

NAMES = ("openai", "anthropic", "gemini", "mistral", "groq", "cohere")
KEYS = {name: f"key-of-{name}" for name in NAMES}
LISTED_UNDER = {"gemini": "models", "cohere": "models"}
KEY_HEADER = {"anthropic": "x-api-key", "gemini": "x-goog-api-key"}
HEADERS = {
    "openai": "openai-version: 2020-10-01\r\nx-request-id: req_1",
    "anthropic": "anthropic-organization-id: org\r\nrequest-id: req_2",
    "gemini": "server-timing: gfet4t7; dur=41",
    "mistral": "x-kong-request-id: 3",
    "groq": "x-groq-region: fra\r\nx-request-id: req_4",
    "cohere": "x-api-warning: trial\r\nx-trial-endpoint-call-limit: 40",
}
REFUSED = {"401": "Unauthorized", "403": "Forbidden", "429": "Too Many Requests", "500": "Internal Server Error",
           "302": "Found"}  # fmt: skip


@dataclass
class SixProviders:
    """`does`: what one of them does instead of answering well: a status, `html`, `hang`, `reset`, `garbage`, `endless`.

    `together`: nobody is answered before so many have asked.
    """

    port: int = 0
    does: dict[str, str] = field(default_factory=dict)
    together: int = 1
    asked: list[str] = field(default_factory=list)
    _all_there: asyncio.Event = field(default_factory=asyncio.Event)
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    def base_url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{name}"

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            name = head.split("/")[1]
            self.asked.append(name)
            if len(self.asked) >= self.together:
                self._all_there.set()
            await self._all_there.wait()
            await self._answer(name, head, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # who asked has gone
        finally:
            writer.close()

    async def _answer(self, name: str, head: str, writer: asyncio.StreamWriter) -> None:
        doing = self.does.get(name, "well")
        if doing == "hang":
            await self._over.wait()
        elif doing == "reset":
            writer.transport.abort()
        elif doing == "garbage":
            writer.write(b"\x00\xff not HTTP at all\r\n\r\n")
        elif doing == "endless":
            writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
            for _ in range(80):
                writer.write(b"[" * 65536)
                await writer.drain()
        else:
            writer.write(self._page(name, head, doing))
        if not writer.is_closing():
            await writer.drain()

    def _page(self, name: str, head: str, doing: str) -> bytes:
        status, kind, body = "200 OK", "application/json", json.dumps({LISTED_UNDER.get(name, "data"): [{"id": "m"}]})
        if not head.startswith(f"GET /{name}/models HTTP/1.1"):
            status = "404 Not Found"
        elif f"{KEY_HEADER.get(name, 'authorization')}: " not in head.lower() or KEYS[name] not in head:
            status = "401 Unauthorized"
        elif name == "anthropic" and "anthropic-version: 2023-06-01" not in head.lower():
            status = "400 Bad Request"
        if doing == "html":
            kind, body = "text/html", "<!doctype html><title>Sign in to the hotel's network</title>"
        elif doing in REFUSED:
            status, body = f"{doing} {REFUSED[doing]}", json.dumps({"error": f"you sent {KEYS[name]}"})
        text = (
            f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\nconnection: close\r\ncontent-length: {len(body)}\r\n"
            f"{HEADERS[name]}\r\n\r\n{body}"
        )
        return text.encode()


@asynccontextmanager
async def served() -> AsyncIterator[SixProviders]:
    """The six, for as long as the block lasts."""
    six = SixProviders()
    server = await asyncio.start_server(six.answer, "127.0.0.1", 0)
    six.port = server.sockets[0].getsockname()[1]
    try:
        yield six
    finally:
        six._over.set()
        six._all_there.set()
        server.close()
        await server.wait_closed()
