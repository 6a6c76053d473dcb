"""One test's own: its place, its daemons, its mark; at the end everything balances and nothing is left behind."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import asyncpg

from tests.system import processes
from tests.system.account import Account, account
from tests.system.node import SUITES, Node, free_port
from tests.system.place import External, Place
from tests.system.waiting import row

if TYPE_CHECKING:
    from tests.system.template import Template

KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "XDG_CACHE_HOME", "LD_LIBRARY_PATH")
SETTLED = """
    SELECT NOT EXISTS (SELECT FROM flights.flight_processing_queue WHERE state <> 'DEAD')
       AND NOT EXISTS (SELECT FROM trial.item WHERE state <> 'DEAD')
       AND NOT EXISTS (SELECT FROM sexton.run WHERE state IN ('ready', 'running') AND trigger <> 'poll'
                       AND due_at < clock_timestamp() - interval '1 second' AND due_at > now() - interval '1 hour')
"""
REQUEST = """
    INSERT INTO sexton.run (job, due_at, logical_date, trigger, state, priority, not_before, args)
    SELECT $1, c.at + n * interval '1 microsecond', current_date, 'manual', 'ready', 0, c.at, $2::jsonb
    FROM (SELECT sexton.clock() AS at) c, generate_series(1, $3::int) n
    RETURNING id
"""
WITHHOLD = """
    CREATE TABLE withheld AS SELECT flight_id FROM flights.flight_processing_queue;
    DELETE FROM flights.flight_processing_queue
"""
GIVE = """
    WITH given AS (
        DELETE FROM withheld WHERE flight_id IN (SELECT flight_id FROM withheld ORDER BY flight_id LIMIT $1)
        RETURNING flight_id
    )
    INSERT INTO flights.flight_processing_queue (flight_id) SELECT flight_id FROM given
"""


def environment_of(place: Place, folder: Path, mark: str, **settings: str) -> dict[str, str]:
    """All that a daemon gets: nothing of ours leaks in, and a config.toml lying about is not found."""
    config = folder / "config.toml"
    if not config.exists():
        config.write_text("")
    defaults = {
        "SEXTON_CONFIG": str(config),
        "SEXTON_SUITES": "workers.flights,trial",
        "SEXTON_LOG__FORMAT": "json",
        "SEXTON_LOG__LEVEL": "debug",
        "SEXTON_NODE__LEASE": "2s",
        "SEXTON_POOL__SIZE": "2",
        "SEXTON_QUEUES__RETRY_DELAY": "100ms",
        "SEXTON_METRICS__LISTEN": f"127.0.0.1:{free_port()}",
        "SEXTON_ADMIN__LISTEN": "127.0.0.1:0",
        "SEXTON_DATABASE__STATE_DIR": str(folder / "state-of-its-own"),
        "SEXTON_SUITE__FLIGHTS__BENCHMARK_FILE": str(folder / "results.json"),
        "PYTHONPATH": str(SUITES),
        processes.MARK: mark,
    }
    ours = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {**ours, **defaults, **place.environment(), **settings}


class Stage:
    def __init__(self, place: Place, folder: Path, template: Template, *, quiet: bool = False) -> None:
        self.place, self.folder, self.template, self.quiet = place, folder, template, quiet
        self.mark = uuid4().hex
        self.nodes: list[Node] = []

    @property
    def is_external(self) -> bool:
        return isinstance(self.place, External)

    async def daemon(self, *, name: str = "node", wait: bool = True, **settings: str) -> Node:
        """Start one. Two daemons need two names: each has a state directory of its own."""
        more = {"SEXTON_NODE__NAME": name}
        if self.is_external:
            more["SEXTON_DATABASE__STATE_DIR"] = str(self.folder / f"state-{name}")
        node = await self.command("run", **{**more, **settings})
        if wait:
            await node.ready()
        return node

    async def command(self, *words: str, **settings: str) -> Node:
        node = await Node.start(environment_of(self.place, self.folder, self.mark, **settings), *words)
        self.nodes.append(node)
        return node

    async def ask_for(self, job: str, seconds: float, count: int = 1, **more: object) -> list[int]:
        """Runs by hand, as `sexton run-job` would, without waiting for a command to start."""
        connection = await self.connect()
        try:
            rows = await connection.fetch(REQUEST, job, json.dumps({"seconds": seconds, **more}), count)
            await connection.execute("SELECT pg_notify('sexton', 'ready')")
            return [row["id"] for row in rows]
        finally:
            await connection.close()

    async def withhold(self) -> None:
        """Before the first daemon: take the flights out of the queue, to `give` them a few at a time."""
        async with self.place.connection() as connection:
            await connection.execute(WITHHOLD)

    async def give(self, flights: int | None = None) -> None:
        """So many of the flights that were withheld; at least three, or all of them."""
        connection = await self.connect()
        try:
            await connection.execute(GIVE, None if flights is None else max(flights, 3))
        finally:
            await connection.close()

    def connect(self) -> asyncpg.Connection:
        """To the server that runs now, whoever runs it."""
        return asyncpg.connect(self.place.url)

    async def settled(self, seconds: float = 60) -> None:
        """Everything in the queues is done and every instant that was due a second ago has run."""
        connection = await self.connect()
        try:
            await row(connection, SETTLED, seconds=seconds)
        finally:
            await connection.close()

    async def balance(self, *, ingested: bool = True, dead: int = 0) -> Account:
        """Called when the daemons have ended."""
        assert not [node.pid for node in self.nodes if node.alive], "stop the daemons first"
        async with self.place.connection() as connection:
            expected = self.template.expected if ingested and not self.quiet else None
            return await account(connection, expected, dead=dead)

    async def left_behind(self) -> list[str]:
        """Stops an external server; then what still lives has been left behind, after a moment to end."""
        await self.place.stop()
        late = await processes.gone(processes.marked(self.mark) + self.place.left_behind(), 5)
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
