"""SIGTERM: what runs may finish, else it is interrupted at no cost; the daemon leaves in order, and soon."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from daemon.migrate import ADVISORY_LOCK
from tests.system import processes
from tests.system.node import Node
from tests.system.probes import get
from tests.system.stage import Stage
from tests.system.waiting import row

IDLE_EXIT = 0.5
GENEROUS = 60
LONG_LEASE = {"SEXTON_NODE__LEASE": "20s"}


@pytest.mark.parametrize("stops", [4, pytest.param(60, marks=pytest.mark.soak)])
async def test_a_stop_in_mid_work_loses_nothing_and_costs_nothing(
    stage: Stage, stops: int, counted: Callable[..., Any]
) -> None:
    slowest = 0.0
    await stage.withhold()
    for _ in range(stops):
        node = await stage.daemon(**LONG_LEASE)
        await stage.give(stage.template.flights // (stops + 1))
        await node.says(r"flight_processing_queue: saved")
        began = time.monotonic()
        assert await node.stop() == 0
        slowest = max(slowest, time.monotonic() - began)
        await nothing_was_charged(stage)
        if not stage.is_external:
            assert stage.place.left_behind() == []
            assert stage.place.control()["Database cluster state"] == "shut down"
    last = await stage.daemon(**LONG_LEASE)
    await stage.give()
    await stage.settled()
    assert await last.stop() == 0
    counted(await stage.balance(), stops=stops, slowest_stop_s=round(slowest, 2))
    assert slowest < 30


async def nothing_was_charged(stage: Stage) -> None:
    async with stage.place.connection() as connection:
        assert not await connection.fetch(
            "SELECT * FROM flights.flight_processing_queue WHERE state <> 'READY' OR failures > 0 OR rescues > 0 "
            "OR attempts > 0 OR lease_owner IS NOT NULL"
        )
        assert not await connection.fetch(
            "SELECT * FROM sexton.run WHERE state = 'running' OR failures > 0 OR rescues > 0"
        )


@pytest.mark.quiet
async def test_running_work_may_finish(stage: Stage) -> None:
    node = await stage.daemon()
    (run,) = await stage.ask_for("trial.long", 1.0)
    await node.says("trial.long started")
    node.signal(signal.SIGTERM)
    await node.says("draining")
    await asyncio.to_thread(not_ready_while_draining, node)
    assert await node.ended() == 0
    assert node.said("trial.long succeeded")
    async with stage.place.connection() as connection:
        assert await connection.fetchval("SELECT state FROM sexton.run WHERE id = $1", run) == "succeeded"
    await stage.balance()


def not_ready_while_draining(node: Node) -> None:
    ready = get(node, "/readyz")
    assert (ready.status, "draining" in ready.body) == (503, True)
    assert get(node, "/healthz").status == 200


@pytest.mark.quiet
async def test_what_outlasts_the_drain_timeout_is_interrupted_at_no_cost_and_done_in_the_next_life(
    stage: Stage,
) -> None:
    node = await stage.daemon(SEXTON_NODE__DRAIN_TIMEOUT="500ms", **LONG_LEASE)
    (run,) = await stage.ask_for("trial.long", 120)
    await node.says("trial.long started")
    began = time.monotonic()
    assert await node.stop() == 0
    assert 0.5 <= time.monotonic() - began < 60
    async with stage.place.connection() as connection:
        found = await connection.fetchrow("SELECT * FROM sexton.run WHERE id = $1", run)
        assert (found["state"], found["failures"], found["rescues"], found["node"]) == ("ready", 0, 0, None)
        assert found["reason"] == "stopped by SIGTERM"
        await connection.execute("UPDATE sexton.run SET args = jsonb_build_object('seconds', 0.1) WHERE id = $1", run)
    again = await stage.daemon()
    await again.says("trial.long succeeded")
    assert await again.stop() == 0
    await stage.balance()


@pytest.mark.quiet
async def test_a_second_signal_hurries(stage: Stage) -> None:
    node = await stage.daemon()
    await stage.ask_for("trial.long", 120)
    await node.says("trial.long started")
    node.signal(signal.SIGTERM)
    await node.says("draining")
    began = time.monotonic()
    assert await node.stop() == 0
    assert time.monotonic() - began < 30
    assert node.said("trial.long interrupted")
    await stage.balance()


@pytest.mark.quiet
async def test_a_hanging_worker_does_not_hold_up_the_end(stage: Stage) -> None:
    """The drain waits for it, the interruption kills it; the item is as if nobody had begun it."""
    node = await stage.daemon(SEXTON_NODE__DRAIN_TIMEOUT="100ms", **LONG_LEASE)
    await stage.settled()
    connection = await stage.connect()
    await connection.execute("INSERT INTO trial.item (key) SELECT n * 10 + 7 FROM generate_series(1, 20) n")
    await row(connection, "SELECT count(*) >= 2 FROM trial.item WHERE state = 'RUNNING'")
    await connection.close()
    assert await node.stop() == 0
    async with stage.place.connection() as looking:
        assert not await looking.fetch("SELECT * FROM trial.item WHERE state = 'RUNNING' OR rescues > 0")
        await looking.execute("DELETE FROM trial.item")
    await stage.balance()


@pytest.mark.quiet
async def test_an_idle_daemon_leaves_at_once(stage: Stage, counted: Callable[..., Any]) -> None:
    """The target is half a second; the bound here is sixty times that, and the number is printed."""
    node = await stage.daemon(SEXTON_JOBS__TRIAL__TICK__ENABLED="false", SEXTON_JOBS__TRIAL__BATCHES__ENABLED="false")
    connection = await stage.connect()
    await connection.execute("INSERT INTO trial.item (key) SELECT n * 10 FROM generate_series(1, 10) n")
    await connection.close()
    await stage.settled()
    workers = await node.some_workers(2)
    began = time.monotonic()
    assert await node.stop() == 0
    took = time.monotonic() - began
    print(f"idle exit took {took:.3f} s")
    assert took < IDLE_EXIT * GENEROUS
    assert await processes.gone(workers) == []
    counted(await stage.balance(), idle_exit_s=round(took, 3))


@pytest.mark.quiet
@pytest.mark.parametrize("thread", [False, True])
async def test_a_run_that_will_not_end_keeps_nobody(stage: Stage, thread: bool) -> None:
    node = await stage.daemon(SEXTON_NODE__DRAIN_TIMEOUT="1s", **LONG_LEASE)
    await stage.ask_for("trial.stubborn", 600, thread=thread)
    await node.says("trial.stubborn started")
    began = time.monotonic()
    assert await node.stop() == 0
    assert time.monotonic() - began < 60
    await node.says("end with the process")
    async with stage.place.connection() as connection:
        state = await connection.fetchval("SELECT state FROM sexton.run WHERE job = 'trial.stubborn'")
    assert state == "ready"  # given back at no cost


@pytest.mark.quiet
@pytest.mark.on("external")
async def test_a_start_that_waits_is_left_at_once(stage: Stage) -> None:
    """Another node migrates, for as long as it takes."""
    connection = await stage.connect()
    await connection.execute("SELECT pg_advisory_lock($1)", ADVISORY_LOCK)
    node = await stage.daemon(wait=False)
    await row(connection, "SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    assert await node.stop() == 0
    await row(connection, "SELECT count(*) = 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    await connection.close()
    assert not node.said("Traceback")
