"""The daemons of one test on its database: started under its mark, spoken to, and none of them left behind."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import asyncpg

from tests.ports import free_port
from tests.system import processes
from tests.system.node import Node
from tests.system.place import External, Place
from tests.system.waiting import PATIENCE

WITHOUT_PAGES = {"SEXTON_ADMIN__LISTEN": "off"}
"""For daemons that tests kill by the dozen: to load the pages is a third of what a start costs."""
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "XDG_CACHE_HOME", "LD_LIBRARY_PATH")
REQUEST = """
    INSERT INTO sexton.run (job, due_at, logical_date, trigger, state, priority, not_before, args)
    SELECT $1, c.at + n * interval '1 microsecond', current_date, 'manual', 'ready', 0, c.at, $2::jsonb
    FROM (SELECT sexton.clock() AS at) c, generate_series(1, $3::int) n
    RETURNING id
"""


def environment_of(place: Place, folder: Path, mark: str, **settings: str) -> dict[str, str]:
    """All that a daemon gets: nothing of ours leaks in, and a config.toml lying about is not found."""
    config = folder / "config.toml"
    if not config.exists():
        config.write_text("")
    defaults = {
        "SEXTON_CONFIG": str(config),
        "SEXTON_LOG__FORMAT": "json",
        "SEXTON_LOG__LEVEL": "debug",
        "SEXTON_NODE__LEASE": "2s",
        "SEXTON_POOL__SIZE": "2",
        "SEXTON_METRICS__LISTEN": f"127.0.0.1:{free_port()}",
        "SEXTON_ADMIN__LISTEN": "127.0.0.1:0",
        "SEXTON_DATABASE__STATE_DIR": str(folder / "state-of-its-own"),
        processes.MARK: mark,
    }
    ours = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {**ours, **defaults, **place.environment(), **settings}


class Daemons:
    patience = PATIENCE
    """Seconds that a daemon may take to be ready."""

    def __init__(self, place: Place, folder: Path) -> None:
        self.place, self.folder = place, folder
        self.mark = uuid4().hex
        self.nodes: list[Node] = []

    @property
    def is_external(self) -> bool:
        return isinstance(self.place, External)

    def environment(self, **settings: str) -> dict[str, str]:
        """What every daemon and command of this test is given."""
        return environment_of(self.place, self.folder, self.mark, **settings)

    async def daemon(self, *, name: str = "node", wait: bool = True, **settings: str) -> Node:
        """Start one. Two daemons need two names: each has a state directory of its own."""
        more = {"SEXTON_NODE__NAME": name}
        if self.is_external:
            more["SEXTON_DATABASE__STATE_DIR"] = str(self.folder / f"state-{name}")
        node = await self.command("run", **{**more, **settings})
        if wait:
            await node.ready(self.patience)
        return node

    async def command(self, *words: str, **settings: str) -> Node:
        node = await Node.start(self.environment(**settings), *words)
        self.nodes.append(node)
        return node

    async def request(self, job: str, args: Mapping[str, object], count: int = 1) -> list[int]:
        """Runs by hand, as `sexton run-job` would, without waiting for a command to start."""
        connection = await self.connect()
        try:
            rows = await connection.fetch(REQUEST, job, json.dumps(args), count)
            await connection.execute("SELECT pg_notify('sexton', 'ready')")
            return [row["id"] for row in rows]
        finally:
            await connection.close()

    def connect(self) -> asyncpg.Connection:
        """To the server that runs now, whoever runs it."""
        return asyncpg.connect(self.place.url)

    async def left_behind(self) -> list[str]:
        """Stops an external server; then what still lives has been left behind, after a moment to end."""
        await self.place.stop()
        late = await processes.gone(processes.marked(self.mark) + self.place.left_behind(), 30)
        return [processes.described(pid) for pid in late]

    async def clear(self) -> None:
        """End what a failed test left, by number."""
        for node in self.nodes:
            if node.alive:
                await node.kill()
        with suppress(OSError):
            await self.place.stop()
        left = processes.marked(self.mark) + self.place.left_behind()
        for pid in left:
            processes.kill(pid)
        await processes.gone(left)

    def counted(self, pattern: str, field: str) -> int:
        """The sum of a field over the lines that match, of all daemons."""
        return sum(int(line.get(field, 0)) for node in self.nodes for line in node.said(pattern))

    def logs(self) -> Sequence[tuple[str, str]]:
        return [(f"daemon {node.pid}, ended {node.process.returncode}", node.log()) for node in self.nodes[-3:]]
