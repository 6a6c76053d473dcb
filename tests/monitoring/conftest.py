"""Real daemons on a database of the test's own, for what scrapes them."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import pytest

from tests.system import processes
from tests.system.node import Node
from tests.system.stage import flights_environment

Daemon = Callable[..., Awaitable[Node]]


class Given:
    """A database that somebody else runs."""

    def __init__(self, url: str) -> None:
        self.url = url

    def environment(self) -> dict[str, str]:
        return {"SEXTON_DATABASE__URL": self.url}


@pytest.fixture
async def daemon(url: str) -> AsyncIterator[Daemon]:
    """Starts one more daemon, ready for work; all are gone afterwards, whatever happened."""
    nodes: list[Node] = []
    mark = uuid4().hex
    with tempfile.TemporaryDirectory(prefix="sexton-") as name:
        folder = Path(name)

        async def start(called: str, **settings: str) -> Node:
            own = {"SEXTON_NODE__NAME": called, "SEXTON_DATABASE__STATE_DIR": str(folder / called), **settings}
            node = await Node.start(flights_environment(Given(url), folder, mark, **own))
            nodes.append(node)
            await node.ready()
            return node

        try:
            yield start
        finally:
            for node in nodes:
                if node.alive:
                    await node.kill()
            left = processes.marked(mark)
            for pid in left:
                processes.kill(pid)
            await processes.gone(left)
