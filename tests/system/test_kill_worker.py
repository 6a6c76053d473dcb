"""kill -9 of workers, and items that kill or hang theirs: each costs only itself."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from tests.system import processes
from tests.system.node import Node
from tests.system.stage import Stage
from tests.system.waiting import row

LEFT = "SELECT count(*) FROM flights.flight_processing_queue"


async def test_workers_killed_in_mid_flight_cost_no_flight(stage: Stage, counted: Callable[..., Any]) -> None:
    node = await stage.daemon()
    connection = await stage.connect()
    begun = await connection.fetchval(LEFT)
    for n in range(1, 6):
        await row(connection, f"{LEFT.replace('count(*)', f'count(*) <= {begun - 20 * n}')}")
        processes.kill(random.choice(await node.some_workers()))
        await node.says(r"^\[INGESTION\] worker \d+: .*SIGKILL", count=n)
    await connection.close()
    await stage.settled()
    assert await node.stop() == 0
    counted(await stage.balance(), workers_killed=5)


@pytest.mark.quiet
async def test_poison_goes_dead_after_five_tries_and_all_else_is_done(
    stage: Stage, counted: Callable[..., Any]
) -> None:
    node = await stage.daemon()
    connection = await stage.connect()
    await connection.execute("INSERT INTO trial.item (key) SELECT generate_series(0, 29)")
    await stage.settled()
    dead = await connection.fetch("SELECT * FROM trial.item ORDER BY key")
    assert sorted(r["key"] for r in dead) == [n for n in range(30) if n % 10 in (6, 7, 8)]
    assert {r["failures"] for r in dead} == {5}
    reasons = {kind: {r["last_error"].partition(":")[0] for r in dead if r["key"] % 10 == kind} for kind in (6, 7, 8)}
    assert reasons == {6: {"WorkerDied"}, 7: {"ComputeTimeout"}, 8: {"RemoteError"}}
    assert await connection.fetchval("SELECT count(*) FROM trial.done") == 21
    await node.says(r"item \d+ is dead", count=len(dead))
    await _brings_back(stage, node)
    assert [tuple(r) for r in await connection.fetch("SELECT state, failures FROM trial.item WHERE key = 8")] == [
        ("DEAD", 5)
    ]
    await connection.close()
    assert await node.stop() == 0
    assert len(node.said(r"item \d+ is dead")) == len(dead) + 1  # one alert each, not one a try
    counted(await stage.balance(dead=len(dead)), dead_items=len(dead))


async def _brings_back(stage: Stage, node: Node) -> None:
    """`sexton retry` gives a dead item all its tries again, and whoever is told of its death hears of it again."""
    command = await stage.command("retry", "trial.item", "8", **stage.place.environment())
    assert await command.ended() == 0, command.log()
    await node.says(r"item 8 is dead", count=2)
    await stage.settled()
