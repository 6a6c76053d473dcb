"""Databases with sample flights in the queue, as many as a test asks for."""

from __future__ import annotations

from contextlib import AsyncExitStack

import asyncpg

from tests.databases import Databases

FLIGHTS = 24
SEEDED = FLIGHTS / 1245


class Seeded:
    def __init__(self, databases: Databases, stack: AsyncExitStack) -> None:
        self._databases, self._stack = databases, stack

    async def clone(self) -> tuple[str, asyncpg.Connection]:
        """A database of its own and a connection to it, both until the test is over."""
        url = await self._stack.enter_async_context(self._databases.lent())
        connection = await asyncpg.connect(url)
        self._stack.push_async_callback(connection.close)
        return url, connection
