"""Wall clocks that leap two hours, forwards and back, under running processes: no instant is repeated or lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from tests.system import faketime
from tests.system.daemons import WITHOUT_PAGES
from tests.system.faketime import Clock
from tests.system.node import Node
from tests.system.stage import Stage
from tests.system.waiting import row

pytestmark = pytest.mark.quiet

TWO_HOURS = timedelta(hours=2)
SHIFT = (
    "CREATE OR REPLACE FUNCTION sexton.clock() RETURNS timestamptz LANGUAGE sql VOLATILE "
    "AS 'SELECT clock_timestamp() + interval ''{by}'''"
)
HELD = "SELECT count(*) FROM sexton.run WHERE job = 'trial.minutely' AND state = 'held'"
needs_faketime = pytest.mark.skipif(
    faketime.library() is None, reason="no libfaketime here: apt-get install libfaketime tries leaping clocks"
)


@pytest.mark.parametrize("whose", ["sexton.clock", pytest.param("server", marks=needs_faketime),
                                   pytest.param("server and daemon", marks=needs_faketime)])  # fmt: skip
async def test_a_clock_that_leaps_two_hours_neither_repeats_nor_loses_an_instant(
    stage: Stage, whose: str, counted: Callable[..., Any]
) -> None:
    leap, settings = await leaping(stage, whose)
    node = await stage.daemon(
        SEXTON_NODE__LEASE="6s", **WITHOUT_PAGES, **settings
    )  # a faked clock is slow, and a lease is not the point
    await node.says("trial.tick succeeded", count=2)
    connection = await stage.connect()
    await forward(node, connection, leap)
    await back(node, connection, leap)
    await connection.close()
    assert await node.stop() == 0
    counted(await stage.balance())


async def leaping(stage: Stage, whose: str) -> tuple[Callable[[str], Any], dict[str, str]]:
    """How to make the clock leap, and what the daemon needs to live by it."""
    if whose == "sexton.clock":

        async def replace(by: str) -> None:
            connection = await stage.connect()
            await connection.execute(SHIFT.format(by=by))
            await connection.close()

        return replace, {}
    preload = faketime.library()
    assert preload is not None
    clock = Clock(stage.folder, preload)
    await stage.place.stop()
    stage.place.bindir = clock.wrapped(stage.folder, stage.place.bindir)
    await stage.place.start()

    async def rewrite(by: str) -> None:
        clock.set({"2 hours": "+2h", "0 hours": "+0"}[by])

    return rewrite, clock.environment() if whose == "server and daemon" else {}


async def forward(node: Node, connection: asyncpg.Connection, leap: Callable[[str], Any]) -> None:
    """Two hours are skipped: each of their instants is held for a person, and none is paid."""
    before = await connection.fetchval("SELECT max(due_at) FROM sexton.run WHERE job = 'trial.tick'")
    await leap("2 hours")
    await node.says(r"trial\.minutely: .*held: (clock leapt forward|database and node clocks differ)")
    await row(connection, f"SELECT ({HELD}) >= 119")  # a burst is taken in slices
    assert await connection.fetchval(HELD) <= 121
    await row(connection, "SELECT evaluated_until > $1 FROM sexton.job WHERE name = 'trial.tick'", before + TWO_HOURS)
    due = await connection.fetch(
        "SELECT state, count(*) FROM sexton.run WHERE job = 'trial.tick' AND due_at BETWEEN $1 AND $2 GROUP BY state",
        before + timedelta(seconds=20), before + TWO_HOURS,
    )  # fmt: skip
    assert {r["state"] for r in due} == {"held"}, due  # many more than one tick takes in
    paid = await connection.fetchval(
        "SELECT count(*) FROM trial.effect WHERE due_at > $1", before + timedelta(seconds=20)
    )
    assert paid == 0
    await node.says(r"stepped by \+7\d\d\d")


async def back(node: Node, connection: asyncpg.Connection, leap: Callable[[str], Any]) -> None:
    """Set back to the truth: cron waits for what it has already evaluated, and says so."""
    await leap("0 hours")
    await node.says("cron waits")
    rows = await connection.fetchval("SELECT count(*) FROM sexton.run WHERE trigger = 'schedule'")
    renewals = "SELECT max(lease_until) FROM sexton.node WHERE dead_at IS NULL"
    lease = await connection.fetchval(renewals)
    await row(connection, f"SELECT ({renewals}) <> $1", lease)  # it lives on meanwhile
    lease = await connection.fetchval(renewals)
    await row(connection, f"SELECT ({renewals}) <> $1", lease)
    assert await connection.fetchval("SELECT count(*) FROM sexton.run WHERE trigger = 'schedule'") == rows
