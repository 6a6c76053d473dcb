"""A wire to the database that a test can cut: connections break, new ones are refused, until it is mended."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit


class Wire:
    """Forwards a unix socket of its own to the server's."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = str(Path(parse_qs(parts.query)["host"][0]) / ".s.PGSQL.5432")
        self._folder = tempfile.TemporaryDirectory(prefix="wire-")
        self.url = f"{parts.scheme}://sexton@{parts.path}?host={self._folder.name}&port=5432"
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def mend(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, str(Path(self._folder.name) / ".s.PGSQL.5432"))

    async def cut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        (Path(self._folder.name) / ".s.PGSQL.5432").unlink(missing_ok=True)
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        await self.cut()
        self._folder.cleanup()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with suppress(OSError):
            there, back = await asyncio.open_unix_connection(self._target)
            self._writers |= {writer, back}
            await self._carry(reader, back, there, writer)
            self._writers -= {writer, back}
        self._tasks.discard(task)

    async def _carry(
        self, reader: asyncio.StreamReader, back: asyncio.StreamWriter, there: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:  # fmt: skip
        """One connection: `reader` to `back` is what the client says, `there` to `writer` what the server answers."""
        await asyncio.gather(_copy(reader, back), _copy(there, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()


AnyWire = TypeVar("AnyWire", bound=Wire)


@asynccontextmanager
async def laid(wire: AnyWire) -> AsyncIterator[AnyWire]:
    await wire.mend()
    try:
        yield wire
    finally:
        await wire.close()


@asynccontextmanager
async def wire(url: str) -> AsyncIterator[Wire]:
    async with laid(Wire(url)) as cuttable:
        yield cuttable
