"""What a clean run comes to: a daemon on a copy of a cluster, asked while it runs, and left without a trace."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import asyncpg

from tests.system.node import Node
from tests.system.place import Place


@asynccontextmanager
async def one_life(place: Place, environment: Mapping[str, str]) -> AsyncIterator[asyncpg.Connection]:
    """A connection to `place` while a daemon works on it, which then has to leave in good order. The place is gone."""
    node = await Node.start(environment)
    try:
        await node.ready()
        connection = await asyncpg.connect(place.url)
        yield connection
        await connection.close()
        assert await node.stop() == 0
    finally:
        if node.alive:
            await node.kill()
        place.remove()
