"""Two daemons on one database: they share the work, and each is the other's heir."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.system.node import Node
from tests.system.stage import Stage
from tests.system.waiting import row, until

pytestmark = pytest.mark.on("external")

RUNS = """
    SELECT count(*) > 0 FROM sexton.run r JOIN sexton.node n ON n.incarnation = r.node
    WHERE n.name = $1 AND n.dead_at IS NULL AND r.job = 'trial.long'
"""
ENOUGH = "SELECT count(*) = {n} FROM sexton.node WHERE dead_at IS NULL"


PORTIONS = 24
SAVED = "flight_processing_queue: saved"


async def twins(stage: Stage, **settings: str) -> tuple[Node, Node]:
    """Two at work: flights are given in portions until each has billed some, then all the others."""
    await stage.withhold()
    a, b = await asyncio.gather(stage.daemon(name="a", **settings), stage.daemon(name="b", **settings))
    for n in range(PORTIONS):
        if billed(a) and billed(b):
            break
        await stage.give(stage.template.flights // PORTIONS)
        await until(partial(more_said, a, b, n), f"portion {n + 1} to be billed")
    await stage.give()
    return a, b


async def more_said(a: Node, b: Node, portions: int) -> bool:
    return len(a.said(SAVED)) + len(b.said(SAVED)) > portions


def billed(node: Node) -> int:
    return sum(line["done"] for line in node.said(SAVED))


async def test_two_daemons_share_the_work_and_repeat_nothing(stage: Stage, counted: Callable[..., Any]) -> None:
    a, b = await twins(stage)
    await stage.settled()
    await asyncio.gather(a.stop(), b.stop())
    assert (a.process.returncode, b.process.returncode) == (0, 0)
    shares = [billed(a), billed(b)]
    assert min(shares) > 0
    assert sum(shares) == stage.template.flights
    counted(await stage.balance(), shares="+".join(map(str, shares)))


@pytest.mark.parametrize("deaths", [1, pytest.param(20, marks=pytest.mark.soak)])
async def test_a_killed_daemon_is_rescued_by_the_other_after_its_lease(
    stage: Stage, deaths: int, counted: Callable[..., Any]
) -> None:
    a, b = await twins(stage)
    for n in range(1, deaths + 1):
        await a.says("trial")
        await a.kill()
        await b.says(r"rescued from a$", count=n)
        a = await stage.daemon(name="a") if n < deaths else a
    await stage.settled()
    assert await b.stop() == 0
    if a.alive:
        assert await a.stop() == 0
    counted(await stage.balance(), deaths=deaths, rescued_items=stage.counted("rescued from", "items"))


@pytest.mark.parametrize("freezes", [2, pytest.param(20, marks=pytest.mark.soak)])
async def test_a_daemon_frozen_beyond_its_lease_is_fenced_and_becomes_a_node_again(
    stage: Stage, freezes: int, counted: Callable[..., Any]
) -> None:
    """Its work goes to the other while it sleeps; what it still says when it wakes counts for nothing."""
    a, b = await twins(stage, SEXTON_NODE__SLOTS="6")
    connection = await stage.connect()
    for n in range(1, freezes + 1):
        await stage.ask_for("trial.long", 1.5, count=10)
        await freeze_in_mid_run(connection, a, b, n)
        await a.says(r"this node's lease is lost: another node took over", count=n)
        await row(connection, ENOUGH.format(n=2))
        await names_are_new(connection)
        ticks = len(a.said("succeeded"))
        await a.says("succeeded", count=ticks + 1)  # it works on
    await connection.close()
    await stage.settled()
    assert (await a.stop(), await b.stop()) == (0, 0)
    fenced = len(a.said(r"fenced$"))
    assert fenced >= freezes, a.log()
    counted(
        await stage.balance(), freezes=freezes, fenced=fenced,
        rescued_items=stage.counted("rescued from", "items"), rescued_runs=stage.counted("rescued from", "runs"),
    )  # fmt: skip


async def freeze_in_mid_run(connection: Any, a: Node, b: Node, nth: int) -> None:
    """SIGSTOP while it holds long runs; SIGCONT once the other has taken them over."""
    await row(connection, RUNS, "a")
    a.signal(signal.SIGSTOP)
    await b.says(r"rescued from a$", count=nth)
    a.signal(signal.SIGCONT)


async def names_are_new(connection: Any) -> None:
    """Sessions carry the incarnation that whoever rescues it would look for."""
    await row(
        connection,
        "SELECT NOT EXISTS (SELECT FROM pg_stat_activity s JOIN sexton.node n ON n.dead_at IS NOT NULL "
        "AND s.application_name ~ ('sexton (engine|lease|job) ' || n.incarnation::text))",
    )
