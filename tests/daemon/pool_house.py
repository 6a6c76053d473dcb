"""What the tests of the pool have in common: a house for each scenario, looked through at its end."""

import asyncio
import os
import select
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import psutil
import pytest
import uvloop

from daemon.pool import Pool
from daemon.pool_messages import (
    PoolEvent,
)
from tests.daemon import pool_tasks as tasks

MIB = 1 << 20
ROOT = str(Path(__file__).parents[2])
E = TypeVar("E")
Scenario = Callable[..., Awaitable[None]]


_others: set[psutil.Process] = set()


def children(*, recursive: bool = False) -> list[psutil.Process]:
    """Processes that came into being since the scenario began; not those that an earlier child started, as a database
    server does when it vacuums."""
    ours = [child for child in psutil.Process().children() if child not in _others]
    return ours + [grandchild for child in ours if recursive for grandchild in child.children(recursive=True)]


def on_both_loops(scenario: Scenario) -> Callable[..., None]:
    """Run an `async def test(house)` in a fresh loop of each kind; everything must be closed at its end."""

    @pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
    def test(new_loop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        async def go() -> None:
            us = psutil.Process()
            _others.clear()
            _others.update(us.children())  # the test process may keep a database server
            open_before = us.num_fds()
            async with asyncio.timeout(100):
                await scenario(House(tmp_path, monkeypatch))
            assert children(recursive=True) == []
            assert us.num_fds() == open_before

        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(go())

    test.__name__ = scenario.__name__
    return cast("Callable[..., None]", test)


class House:
    """What a scenario needs: pools whose events it can wait for, and a place for files."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = path
        self.monkeypatch = monkeypatch
        self.events: list[PoolEvent] = []
        self._changed = asyncio.Event()

    @asynccontextmanager
    async def pool(self, size: int = 5, **options: Any) -> AsyncIterator[Pool]:
        pool = Pool(size, on_event=self._note, **options)
        await pool.start()
        try:
            yield pool
        finally:
            await pool.stop(grace=2)

    def _note(self, event: PoolEvent) -> None:
        self.events.append(event)
        self._changed.set()

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, kind: type[E], count: int = 1) -> list[E]:
        """The events of that kind, once there are `count`."""
        while len(found := self.of(kind)) < count:
            self._changed.clear()
            await self._changed.wait()
        return found

    def file(self, name: str = "flag") -> Path:
        return self.path / name


async def eventually(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.002)


async def hanging(pool: Pool, path: Path) -> tuple[asyncio.Task[Any], int]:
    """A call that hangs in a child, and that child's pid."""
    call: asyncio.Task[Any] = asyncio.create_task(pool.compute(tasks.say_and_hang, str(path)))
    await eventually(path.exists)
    return call, int(path.read_text())


def gone(pid: int, seconds: float = 60) -> bool:
    """Has that process, of whomever it is a child, ended within so long?"""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([pidfd], [], [], seconds)[0])
    finally:
        os.close(pidfd)
