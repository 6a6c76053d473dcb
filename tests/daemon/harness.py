"""A whole node in this process: an engine on a database, its events in a list, and waits on events, not sleeps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

import anyio
import asyncpg

from daemon import catalogue
from daemon.channel_settings import OutboxSettings
from daemon.channels.channel import Channel
from daemon.engine import Engine, Urls
from daemon.events import Announcer, Event
from daemon.job import Job
from daemon.pool import Pool
from daemon.queue import WorkQueue
from daemon.settings import DatabaseSettings, NodeSettings, QueueSettings, Settings

E = TypeVar("E", bound=Event)
PATIENCE = 60.0


@dataclass
class Node:
    engine: Engine
    events: list[Event] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, event: Event) -> None:
        self.events.append(event)
        self._news.set()

    async def event(self, kind: type[E], matches: Callable[[E], bool] = lambda _: True, count: int = 1) -> E:
        """The count-th event of a kind that matches, now or as soon as it is announced."""
        with anyio.fail_after(PATIENCE):
            while True:
                found = [e for e in self.events if isinstance(e, kind) and matches(e)]
                if len(found) >= count:
                    return found[count - 1]
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def node(
    url: str,
    *jobs: Job,
    queues: tuple[WorkQueue, ...] = (),
    home: str = "/tmp/sexton-test",
    lease: float = 30.0,
    slots: int = 20,
    retry_delay: float = 30.0,
    claiming: bool = True,
    channels: Mapping[str, Channel] | None = None,
    outbox: OutboxSettings | None = None,
    **parts: Any,
) -> AsyncIterator[Node]:
    """A running node for the block. `home` is its state directory's name: two nodes need two."""
    settings = Settings(
        suites=(),
        database=DatabaseSettings(url=url),
        node=NodeSettings(lease=timedelta(seconds=lease), slots=slots),
        queues=QueueSettings(retry_delay=timedelta(seconds=retry_delay)),
        outbox=outbox or OutboxSettings(),
    )
    found = catalogue.of(list(jobs), queues={q.name: q for q in queues}, **parts)
    emit, pool = Announcer(), Pool(2)
    await pool.start()
    engine = Engine(settings, found, Urls(url, url), pool, emit, home, lambda: channels or {})
    running = Node(engine)
    emit.subscribe(running.hear)
    try:
        await engine.start()
        async with anyio.create_task_group() as services:
            async with anyio.create_task_group() as runs:
                engine.claiming = claiming
                engine.serve(services, runs)
                while engine.services["ticker"].steps == 0:
                    await asyncio.sleep(0.005)
                yield running
                if engine.claiming:
                    await engine.interrupt("the test is over")
                runs.cancel_scope.cancel()
            services.cancel_scope.cancel()
    finally:
        await engine.close()
        await pool.stop(0)


async def rows(connection: asyncpg.Connection, query: str, *args: object) -> list[dict[str, Any]]:
    return [dict(row) for row in await connection.fetch(query, *args)]


def a_job(body: Callable[..., Any], trigger: Any, name: str = "test.job", **options: Any) -> Job:
    """A job of a name of the test's choosing, without a file."""
    return Job(name=name, body=body, trigger=trigger, **options)
