"""A body that blocks the event loop is reported from another thread, with its stack and its run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from daemon import Context, OnDemand, loop_lag
from daemon.events import Announcer, Event, LoopLagged, RunEnded
from daemon.loop_lag import LoopMonitor
from tests.daemon.asking import ask
from tests.daemon.harness import a_job, node


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_lag, "BEAT", 0.05)
    monkeypatch.setattr(loop_lag, "TOLERATED", 0.1)


@asynccontextmanager
async def monitored() -> AsyncIterator[tuple[LoopMonitor, list[Event]]]:
    heard: list[Event] = []
    monitor = LoopMonitor(heard.append, lambda: None)
    monitor.start()
    try:
        yield monitor, heard
    finally:
        monitor.stop()


def a_thoughtless_body(seconds: float = 0.5) -> None:
    time.sleep(seconds)


def blamed(heard: list[Event]) -> list[LoopLagged]:
    """What was told of it. A busy machine makes the loop stand elsewhere too."""
    return [e for e in heard if isinstance(e, LoopLagged) and "a_thoughtless_body" in e.stack]


async def test_a_standing_loop_is_reported_once_with_the_line_it_stands_on() -> None:
    async with monitored() as (monitor, heard):
        for times in (1, 2):
            while len(blamed(heard)) < times:
                a_thoughtless_body(0.05)
            a_thoughtless_body(0.5)
            assert [lagged.seconds > 0.1 for lagged in blamed(heard)] == [True] * times
            while monitor.standing_still() > 0:
                await asyncio.sleep(0.01)


async def test_a_standing_loop_is_told_of_while_it_stands() -> None:
    """The watchdog may end the process before it goes on; what is not safe in a thread hears of it afterwards."""
    at_once: list[Event] = []
    later: list[Event] = []
    emit = Announcer(at_once.append)
    emit.subscribe(later.append)
    monitor = LoopMonitor(emit.beside(asyncio.get_running_loop()), lambda: None)
    monitor.start()
    while not at_once:
        time.sleep(0.01)
    assert (len(at_once), later) == (1, [])
    await asyncio.sleep(0.05)
    monitor.stop()
    assert later == at_once


async def test_a_loop_that_only_waits_is_not_blamed() -> None:
    for _ in range(10):  # unless the machine makes it stand
        async with monitored() as (_, heard):
            await asyncio.sleep(0.5)
        if not heard:
            return
    pytest.fail(f"blamed each time: {heard}")


async def test_the_run_that_holds_the_loop_is_named(url: str, connection: asyncpg.Connection) -> None:
    async def body(_: Context) -> None:
        a_thoughtless_body(1.5)

    async def innocent(_: Context) -> None:
        await asyncio.sleep(0.1)

    async with node(url, a_job(body, OnDemand(), "t.block"), a_job(innocent, OnDemand(), "t.wait")) as n:
        monitor = LoopMonitor(n.engine.emit.beside(asyncio.get_running_loop()), n.engine.current_run)
        monitor.start()
        await ask(connection, "t.wait")
        run = await ask(connection, "t.block")
        lagged = await n.event(LoopLagged, lambda e: "a_thoughtless_body" in e.stack)
        await n.event(RunEnded, lambda e: e.job == "t.block")
        monitor.stop()
    assert lagged.run == run
