"""A wire between a daemon and its database that knows which statement is on it, and can stop the world there."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self

from tests.system.waiting import PATIENCE

When = Literal["sent", "answered"]
"""Before the server has seen the statement; when the server is done with it and nobody has heard of it."""

CHUNK = 1 << 16
SOCKET = ".s.PGSQL.5432"


@dataclass(frozen=True, slots=True)
class Moment:
    """A statement that has `text` in it, and `after` in the one before it on the same connection."""

    text: str
    when: When
    after: str = ""

    def comes(self, text: str, before: str) -> bool:
        return self.text in text and self.after in before


class Wire:
    """Listens on `socket`, in a directory of its own, for the server that listens on `target`."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self._folder = tempfile.TemporaryDirectory(prefix="wire-")
        self.socket = Path(self._folder.name) / SOCKET
        self.url = f"postgresql://sexton@/sexton?host={self._folder.name}&port=5432"
        self.moment: Moment | None = None
        self._held: asyncio.Queue[Talk] = asyncio.Queue()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(self._serve, str(self.socket))
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._folder.cleanup()

    def hold(self, moment: Moment | None) -> None:
        """From now on, hold every statement at that moment. None: what comes passes, what is held stays held."""
        self.moment = moment
        self._held = asyncio.Queue()

    async def held(self, seconds: float = PATIENCE) -> Talk:
        """The next connection that is held."""
        assert self.moment is not None
        try:
            return await asyncio.wait_for(self._held.get(), seconds)
        except TimeoutError:
            raise AssertionError(f"{self.moment} did not come within {seconds:g} s") from None

    def tell(self, talk: Talk) -> None:
        self._held.put_nowait(talk)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        questions: asyncio.StreamWriter | None = None
        try:
            with suppress(OSError):  # no server: as if the connection were refused
                answers, questions = await asyncio.open_unix_connection(str(self.target))
                talk = Talk(self, questions, writer)
                await asyncio.gather(talk.forth(reader), talk.back(answers))
        finally:
            for end in (questions, writer):
                if end is not None:
                    end.transport.abort()


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


@dataclass
class Talk:
    """One connection. While it is held, what either side says is kept; the end of either side ends the other."""

    wire: Wire
    questions: asyncio.StreamWriter
    answers: asyncio.StreamWriter
    _spoken: Spoken = field(default_factory=Spoken)
    _before: str = ""
    _held: When | None = None
    _kept: bytes = b""
    _told: bool = False

    async def forth(self, reader: asyncio.StreamReader) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                for text in self._spoken.statements(data):
                    moment = self.wire.moment
                    if self._held is None and moment is not None and moment.comes(text, self._before):
                        self._held = moment.when
                    self._before = text
                if self._held == "sent":
                    self._keep(data)
                else:
                    self.questions.write(data)
                    await self.questions.drain()
        self.questions.transport.abort()

    async def back(self, reader: asyncio.StreamReader) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                if self._held == "answered":
                    self._keep(data)
                else:
                    self.answers.write(data)
                    await self.answers.drain()
        self.answers.transport.abort()

    def _keep(self, data: bytes) -> None:
        self._kept += data
        done = self._kept[-6:-1] == b"Z\x00\x00\x00\x05"  # "ready for query" ends the answer
        if (self._held == "sent" or done) and not self._told:
            self._told = True
            self.wire.tell(self)

    def release(self) -> None:
        """What was kept goes on, and what follows passes."""
        to = self.questions if self._held == "sent" else self.answers
        kept, self._kept, self._held, self._told = self._kept, b"", None, False
        to.write(kept)
