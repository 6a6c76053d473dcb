"""A wire between a daemon and its database that knows which statement is on it, and can strike at that moment."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self
from urllib.parse import parse_qs, urlsplit

When = Literal["sent", "running", "answered"]
"""Before the server sees the statement; while it works on it; when it is done and nobody has heard of it."""

CHUNK = 1 << 16
HALF_WAY = 0.02  # seconds into a statement


@dataclass
class Trap:
    """Springs at the statement whose text matches, after having let `skip` of them pass."""

    pattern: re.Pattern[str]
    when: When
    strike: Callable[[], None]
    skip: int = 0
    sprung: asyncio.Event = field(default_factory=asyncio.Event)

    def takes(self, text: str) -> bool:
        if self.sprung.is_set() or not self.pattern.search(text):
            return False
        self.skip -= 1
        return self.skip < 0

    def spring(self) -> None:
        if not self.sprung.is_set():
            self.strike()
            self.sprung.set()


class Wire:
    """Listens in a directory of its own; `url` is the database's with that directory in it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = str(Path(parse_qs(parts.query)["host"][0]) / ".s.PGSQL.5432")
        self._folder = tempfile.TemporaryDirectory(prefix="wire-")
        self.url = f"{parts.scheme}://sexton@{parts.path}?host={self._folder.name}&port=5432"
        self.trap: Trap | None = None
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(self._serve, str(Path(self._folder.name) / ".s.PGSQL.5432"))
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._folder.cleanup()

    def set(self, pattern: str, when: When, strike: Callable[[], None], skip: int = 0) -> Trap:
        self.trap = Trap(re.compile(pattern, re.DOTALL), when, strike, skip)
        return self.trap

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        with suppress(OSError):
            answers, questions = await asyncio.open_unix_connection(self._target)
            talk = Talk(self, Spoken(), questions, writer)
            try:
                await asyncio.gather(talk.forth(reader), talk.back(answers))
            finally:
                questions.transport.abort()
                writer.transport.abort()


@dataclass
class Talk:
    """One connection. `held`: the trap that has taken the statement now under way and wants its answer."""

    wire: Wire
    spoken: Spoken
    questions: asyncio.StreamWriter
    answers: asyncio.StreamWriter
    held: Trap | None = None

    async def forth(self, reader: asyncio.StreamReader) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                for text in self.spoken.statements(data):
                    trap = self.wire.trap
                    if trap is not None and trap.takes(text):
                        if trap.when == "sent":
                            trap.spring()
                            return
                        self.held = trap
                self.questions.write(data)
                await self.questions.drain()
                if self.held is not None and self.held.when == "running":
                    asyncio.get_running_loop().call_later(HALF_WAY, self.held.spring)
        self.questions.transport.abort()

    async def back(self, reader: asyncio.StreamReader) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                if self.held is not None:
                    if data[-6:-1] == b"Z\x00\x00\x00\x05":  # ready for the next: this one is done
                        self.held.spring()
                    continue
                self.answers.write(data)
                await self.answers.drain()
        self.answers.transport.abort()


@dataclass
class Spoken:
    """What a client says, as texts of the statements it executes (PostgreSQL's protocol, message formats)."""

    _rest: bytes = b""
    _greeted: bool = False
    _prepared: dict[bytes, str] = field(default_factory=dict)

    def statements(self, data: bytes) -> Iterator[str]:
        self._rest += data
        while (found := self._message()) is not None:
            kind, body = found
            if kind == b"Q":
                yield body.rstrip(b"\0").decode()
            elif kind == b"P":
                name, text, _ = body.split(b"\0", 2)
                self._prepared[name] = text.decode()
            elif kind == b"B":
                _, name, _ = body.split(b"\0", 2)
                yield self._prepared.get(name, "")

    def _message(self) -> tuple[bytes, bytes] | None:
        """The next whole message; the greeting is the only one without a type."""
        start = 1 if self._greeted else 0
        if len(self._rest) < start + 4:
            return None
        end = start + int.from_bytes(self._rest[start : start + 4], "big")
        if len(self._rest) < end:
            return None
        kind, body, self._rest = self._rest[:start], self._rest[start + 4 : end], self._rest[end:]
        self._greeted = True
        return kind, body
