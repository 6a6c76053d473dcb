"""A wire to the database that breaks at one exact point of the conversation, once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal

from tests.daemon.cuttable import Wire, laid

COMMIT = b"COMMIT\x00"
When = Literal["before", "after"]


class Meddler(Wire):
    """`armed`: "before" cuts when COMMIT is sent and never lets it through; "after" when its answer comes back."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.armed: When | None = None
        self.cuts = 0
        self.deaf = False

    async def _carry(
        self, reader: asyncio.StreamReader, back: asyncio.StreamWriter, there: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:  # fmt: skip
        both, committing = (writer, back), asyncio.Event()
        await asyncio.gather(self._forth(reader, back, both, committing), self._back(there, writer, both, committing))

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
    async with laid(Meddler(url)) as between:
        yield between
