"""kill -9 of the daemon, again and again, at moments of chance."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from tests.system import processes
from tests.system.daemons import WITHOUT_PAGES
from tests.system.stage import Stage


async def one_life(stage: Stage, dice: random.Random, flights: int) -> None:
    """Killed while it starts, or a moment after its first flights were saved."""
    in_its_start = dice.random() < 0.25
    node = await stage.daemon(wait=False, **({} if in_its_start else WITHOUT_PAGES))
    if in_its_start:
        await asyncio.sleep(dice.uniform(0, 1))
    else:
        await node.ready()
        await stage.give(flights)
        await node.says(r"flight_processing_queue: saved")
        await asyncio.sleep(dice.uniform(0, 0.15))
    server = stage.place.left_behind() if not stage.is_external and dice.random() < 0.2 else []
    await node.kill()
    for pid in server:  # as if the power had gone
        processes.kill(pid)


async def bring_back(connection: asyncpg.Connection) -> int:
    """What was in the hands of six nodes that died is DEAD, and says so; with no node dying, it is billed after all."""
    reasons = await connection.fetch("SELECT last_error FROM flights.flight_processing_queue WHERE state = 'DEAD'")
    assert all(r["last_error"].startswith("the node died 6 times") for r in reasons), reasons
    await connection.execute(
        "UPDATE flights.flight_processing_queue SET state = 'READY', failures = 0, rescues = 0, "
        "next_attempt_at = sexton.clock() WHERE state = 'DEAD'"
    )
    await connection.execute("SELECT pg_notify('sexton', 'queue:flights.flight_processing_queue')")
    return len(reasons)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kills", [20, pytest.param(200, marks=pytest.mark.soak)])
async def test_a_daemon_killed_at_any_moment_repeats_and_loses_nothing(
    stage: Stage, kills: int, counted: Callable[..., Any]
) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    await stage.withhold()
    for n in range(kills):
        await one_life(stage, dice, stage.template.flights // (kills + 1) + n % 3)
    last = await stage.daemon()
    await stage.give()
    await stage.settled()
    connection = await stage.connect()
    given_up = await bring_back(connection)
    await connection.close()
    await stage.settled()
    assert await last.stop() == 0
    counts = await stage.balance()
    counted(counts, kills=kills, given_up=given_up, rescued_items=stage.counted("rescued from", "items"))
