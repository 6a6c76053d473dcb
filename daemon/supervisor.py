"""The task tree: services that run for ever, restarted with backoff when they fail, and told apart from an outage."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import anyio

from daemon.database import DatabaseDown, Outage
from daemon.events import Event, ServiceFailed
from daemon.pulse import Pulse

FIRST_RETRY, LONGEST_RETRY = 0.5, 30.0


@dataclass
class Service:
    """A loop around `step`, which does one batch and returns how long to sleep; `pulse` wakes it earlier."""

    name: str
    step: Callable[[], Awaitable[float]]
    pulse: Pulse = field(default_factory=Pulse)
    steps: int = 0


async def run_for_ever(service: Service, outage: Outage, emit: Callable[[Event], None]) -> None:
    """Step, sleep, repeat. A lost database is waited for; any other error is announced and tried again later."""
    retry_in = FIRST_RETRY
    while True:
        try:
            pause = await service.step()
        except DatabaseDown:
            await outage.over()
            continue
        except Exception as error:  # noqa: BLE001 - announced with its traceback, and the service goes on
            emit(ServiceFailed(service.name, f"{type(error).__name__}: {error}", traceback.format_exc(), retry_in))
            await anyio.sleep(retry_in)
            retry_in = min(retry_in * 2, LONGEST_RETRY)
            continue
        service.steps += 1
        retry_in = FIRST_RETRY
        await service.pulse.wait(pause)


async def first_of(*waits: Callable[[], Awaitable[object]]) -> None:
    """Return when one of them does; the others are cancelled."""
    async with anyio.create_task_group() as racing:

        async def race(wait: Callable[[], Awaitable[object]]) -> None:
            await wait()
            racing.cancel_scope.cancel()

        for wait in waits:
            racing.start_soon(race, wait)
