"""Clones of a database with sample flights in the queue."""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

import asyncpg

FLIGHTS = 24
SEEDED = FLIGHTS / 1245
_numbers = itertools.count(1)


def on_database(url: str, name: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


@dataclass
class Seeded:
    server: str
    template: str
    _names: list[str] = field(default_factory=list)
    _connections: list[asyncpg.Connection] = field(default_factory=list)

    async def clone(self) -> tuple[str, asyncpg.Connection]:
        """A database of its own and a connection to it."""
        name = f"flights_{os.getpid()}_{next(_numbers)}"
        admin = await asyncpg.connect(self.server)
        await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{self.template}" STRATEGY wal_log')
        await admin.close()
        self._names.append(name)
        url = on_database(self.server, name)
        self._connections.append(await asyncpg.connect(url))
        return url, self._connections[-1]

    async def drop(self) -> None:
        for connection in self._connections:
            await connection.close()
        admin = await asyncpg.connect(self.server)
        for name in self._names:
            await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await admin.close()
