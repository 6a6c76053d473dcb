"""The database goes away in mid-work: the daemon stays, and goes on within two seconds of its return."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.system import processes
from tests.system.node import Node
from tests.system.place import External
from tests.system.probes import get
from tests.system.stage import Stage
from tests.system.waiting import row

BACK_WITHIN = 2.0
GENEROUS = 15


async def crash(stage: Stage, node: Node, nth: int) -> float:
    """kill -9 of the postmaster, and its return, which is the daemon's business or ours. When it was back."""
    processes.kill(stage.place.postmaster)
    await node.says(r"\[DATABASE\] lost", count=nth)
    if isinstance(stage.place, External):
        await stage.place.crashed()
        await asyncio.to_thread(answers_while_the_database_is_away, node)
        await stage.place.restart()
        return time.monotonic()
    await node.says(r"ServerReady|accepts connections", count=nth + 1)
    return time.monotonic()


def answers_while_the_database_is_away(node: Node) -> None:
    ready, health = get(node, "/readyz"), get(node, "/healthz")
    assert ready.status == 503
    assert ready.body.startswith("database: ")
    assert health.status == 200
    assert get(node, "/metrics").value("sexton_database_up") == 0


@pytest.mark.parametrize("crashes", [4, pytest.param(40, marks=pytest.mark.soak)])
async def test_a_database_killed_in_mid_work_is_waited_for_and_nothing_is_lost(
    stage: Stage, crashes: int, counted: Callable[..., Any]
) -> None:
    await stage.withhold()
    node = await stage.daemon()
    slowest = 0.0
    for n in range(1, crashes + 1):
        saved = len(node.said(r"flight_processing_queue: saved"))
        await stage.give(stage.template.flights // (crashes + 1))
        await node.says(r"flight_processing_queue: saved", count=saved + 1)
        returned = await crash(stage, node, n)
        await node.says(r"\[DATABASE\] back", count=n)
        ticks = len(node.said("trial.tick succeeded"))
        slowest = max(slowest, time.monotonic() - returned)
        await node.says("trial.tick succeeded", count=ticks + 1)
    assert slowest < BACK_WITHIN * GENEROUS
    assert get(node, "/readyz").status == 200
    await stage.give()
    await stage.settled()
    assert node.alive
    assert await node.stop() == 0
    counted(await stage.balance(), crashes=crashes, back_within_s=round(slowest, 2))


@pytest.mark.on("external")
async def test_a_database_restarted_in_good_order_is_waited_for(stage: Stage, counted: Callable[..., Any]) -> None:
    assert isinstance(stage.place, External)
    node = await stage.daemon()
    await node.says(r"flight_processing_queue: saved")
    await stage.place.stop()
    await node.says(r"\[DATABASE\] lost")
    await stage.place.start()
    returned = time.monotonic()
    await node.says(r"\[DATABASE\] back")
    assert time.monotonic() - returned < BACK_WITHIN * GENEROUS
    await stage.settled()
    assert await node.stop() == 0
    counted(await stage.balance())


@pytest.mark.on("embedded")
async def test_a_shutdown_of_our_own_server_from_outside_is_answered_by_leaving(stage: Stage) -> None:
    node = await stage.daemon()
    await node.says(r"flight_processing_queue: saved")
    processes.kill(stage.place.postmaster, signal.SIGTERM)  # smart: it waits for our connections
    await node.says("shut down from outside")
    assert await node.ended() == 0
    assert stage.place.control()["Database cluster state"] == "shut down"
    await stage.balance(ingested=False)
    again = await stage.daemon()
    await stage.settled()
    assert await again.stop() == 0
    await stage.balance()


@pytest.mark.on("external")
async def test_a_database_lost_while_leaving_keeps_nobody(stage: Stage) -> None:
    """What could not be given back is rescued by the next life."""
    assert isinstance(stage.place, External)
    node = await stage.daemon(SEXTON_NODE__DRAIN_TIMEOUT="2s")
    await node.says(r"flight_processing_queue: saved")
    processes.kill(stage.place.postmaster)
    await node.says(r"\[DATABASE\] lost")
    node.signal(signal.SIGTERM)
    assert await node.ended() == 0
    await stage.place.crashed()
    await stage.place.restart()
    again = await stage.daemon()
    connection = await stage.connect()
    await row(connection, "SELECT NOT EXISTS (SELECT FROM sexton.run r JOIN sexton.node n ON n.incarnation = r.node "
                          "WHERE n.dead_at IS NOT NULL)")  # fmt: skip
    await connection.close()
    await stage.settled()
    assert await again.stop() == 0
    await stage.balance()
