"""Rows of calls from outside, kept many in one commit: whoever waits is answered when its own row is safe."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import asyncpg

from daemon import sql
from daemon.database import Link
from daemon.sql import Statement

(LOOK_AT,) = sql.load(__file__, "look_at")

MOST_IN_ONE_COMMIT = 500
Row = tuple[object, ...]
Looks = MutableMapping[asyncpg.Connection, str]
"""Connection → the suite that its session looks at."""


@dataclass
class HookRows:
    """While one commit is on its way, the next one's rows gather: the busier, the more share one.

    The session is told once whom it looks at, so that a commit is one round trip: `link` must not go through a pooler
    of transactions. Those who share a link share `looks`.
    """

    link: Link
    suite: str
    keep: Statement
    looks: Looks = field(default_factory=WeakKeyDictionary)
    _waiting: list[tuple[Row, asyncio.Future[None]]] = field(default_factory=list)
    _writer: asyncio.Task[None] | None = None

    async def kept(self, row: Row) -> None:
        """Returns after the COMMIT. Raises `DatabaseDown`, or what the database has against this very row."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((row, done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_on())
        await done

    async def _write_on(self) -> None:
        while self._waiting:
            batch = self._waiting[:MOST_IN_ONE_COMMIT]
            del self._waiting[: len(batch)]
            await self._settle(batch)

    async def _settle(self, batch: Sequence[tuple[Row, asyncio.Future[None]]]) -> None:
        """A row that is refused costs only itself. Whoever has left meanwhile is not answered; the row stays."""
        error: Exception | None = None
        try:
            await self._write([row for row, _ in batch])
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as refused:
            if len(batch) > 1:
                for one in batch:
                    await self._settle([one])
                return
            error = refused
        except Exception as found:  # noqa: BLE001 - handed to everybody who waits for this commit
            error = found
        for _, done in batch:
            if done.done():
                continue
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)

    async def _write(self, rows: Sequence[Row]) -> None:
        columns: list[list[Any]] = [list(column) for column in zip(*rows, strict=True)]
        async with self.link.held() as connection:
            if self.looks.get(connection) != self.suite:
                await connection.execute(LOOK_AT.text, f'"{self.suite}", pg_catalog')
                self.looks[connection] = self.suite
            await connection.execute(self.keep.text, *columns)
