"""Services that run for ever: restarted with growing pauses, and an outage is no failure of theirs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
import pytest

from daemon import supervisor
from daemon.database import DatabaseDown, Outage
from daemon.events import Event, ServiceFailed
from daemon.supervisor import Service, run_for_ever


@asynccontextmanager
async def serving(
    step: Callable[[], Awaitable[float]], outage: Outage | None = None
) -> AsyncIterator[tuple[Service, list[Event]]]:
    heard: list[Event] = []
    service = Service("ticker", step)
    async with anyio.create_task_group() as group:
        group.start_soon(run_for_ever, service, outage or Outage(heard.append), heard.append)
        with anyio.fail_after(60):
            yield service, heard
        group.cancel_scope.cancel()


async def until(true: Callable[[], bool]) -> None:
    while not true():
        await asyncio.sleep(0.001)


async def test_a_service_steps_sleeps_and_is_woken_early() -> None:
    async def step() -> float:
        return 3600.0

    async with serving(step) as (service, heard):
        for steps in (1, 2, 3):
            await until(lambda steps=steps: service.steps == steps)  # type: ignore[misc]
            service.pulse.beat()
            service.pulse.beat()
        assert heard == []


async def test_a_failing_service_is_announced_and_tried_again_with_growing_pauses_until_it_works(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervisor, "FIRST_RETRY", 0.01)
    monkeypatch.setattr(supervisor, "LONGEST_RETRY", 0.05)
    tries = 0

    async def step() -> float:
        nonlocal tries
        tries += 1
        if tries == 6:
            return 0.0
        if tries > 7:
            await asyncio.sleep(3600)
        raise ValueError(f"try {tries}")

    async with serving(step) as (service, heard):
        await until(lambda: tries == 8)
        assert service.steps == 1
    failed = [e for e in heard if isinstance(e, ServiceFailed)]
    assert [e.retry_in for e in failed] == [0.01, 0.02, 0.04, 0.05, 0.05, 0.01]
    assert (failed[0].service, failed[0].error) == ("ticker", "ValueError: try 1")
    assert "raise ValueError" in failed[0].traceback


async def test_a_lost_database_is_waited_for_and_not_announced_as_a_failure() -> None:
    heard: list[Event] = []
    outage, tries = Outage(heard.append), 0

    async def step() -> float:
        nonlocal tries
        tries += 1
        if tries == 1:
            outage.began(ConnectionRefusedError())
            raise DatabaseDown("gone")
        return 3600.0

    async with serving(step, outage) as (service, failures):
        await until(lambda: outage.known)
        await asyncio.sleep(0.05)
        assert (tries, service.steps) == (1, 0)
        outage.ended()
        await until(lambda: service.steps == 1)
        assert failures == []


async def test_a_service_that_is_stopped_stops_at_once() -> None:
    async def step() -> float:
        await asyncio.sleep(3600)
        return 0.0

    began = asyncio.get_running_loop().time()
    async with serving(step):
        await asyncio.sleep(0)
    assert asyncio.get_running_loop().time() - began < 60
