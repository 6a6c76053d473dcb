"""A wire to the database that breaks at one exact point of the conversation, once."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Literal, Self
from urllib.parse import parse_qs, urlsplit

COMMIT = b"COMMIT\x00"
When = Literal["before", "after"]


class Meddler:
    """`armed`: "before" cuts when COMMIT is sent and never lets it through; "after" when its answer comes back."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = str(Path(parse_qs(parts.query)["host"][0]) / ".s.PGSQL.5432")
        self._folder = tempfile.TemporaryDirectory(prefix="meddler-")
        self.url = f"{parts.scheme}://sexton@{parts.path}?host={self._folder.name}&port=5432"
        self.armed: When | None = None
        self.cuts = 0
        self.deaf = False
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(self._serve, str(Path(self._folder.name) / ".s.PGSQL.5432"))
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._folder.cleanup()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with suppress(OSError):
            there, back = await asyncio.open_unix_connection(self._target)
            both = (writer, back)
            self._writers |= set(both)
            committing = asyncio.Event()
            await asyncio.gather(
                self._forth(reader, back, both, committing), self._back(there, writer, both, committing)
            )
            self._writers -= set(both)
        self._tasks.discard(task)

    async def _forth(
        self, reader: asyncio.StreamReader, back: asyncio.StreamWriter, both: tuple[asyncio.StreamWriter, ...],
        committing: asyncio.Event,
    ) -> None:  # fmt: skip
        with suppress(OSError):
            while data := await reader.read(65536):
                if COMMIT in data and self.armed == "before":
                    self._cut(both)
                    return
                if COMMIT in data and self.armed == "after":
                    committing.set()
                back.write(data)
                await back.drain()
        back.transport.abort()

    async def _back(
        self, there: asyncio.StreamReader, writer: asyncio.StreamWriter, both: tuple[asyncio.StreamWriter, ...],
        committing: asyncio.Event,
    ) -> None:  # fmt: skip
        with suppress(OSError):
            while data := await there.read(65536):
                if committing.is_set():
                    self._cut(both)
                    return
                writer.write(_without_notifications(data) if self.deaf else data)
                await writer.drain()
        writer.transport.abort()

    def _cut(self, both: tuple[asyncio.StreamWriter, ...]) -> None:
        self.armed = None
        self.cuts += 1
        for writer in both:
            writer.transport.abort()


def _without_notifications(data: bytes) -> bytes:
    """The server spoke, nobody hears: its messages less every NotificationResponse."""
    kept = b""
    while data:
        length = 1 + int.from_bytes(data[1:5], "big")
        kept += b"" if data[:1] == b"A" else data[:length]
        data = data[length:]
    return kept


@asynccontextmanager
async def meddler(url: str) -> AsyncIterator[Meddler]:
    async with Meddler(url) as between:
        yield between
