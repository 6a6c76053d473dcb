"""Two daemons scraped: what both see is told once, by whichever of them is alive."""

from __future__ import annotations

import asyncio

import asyncpg

from tests.monitoring.conftest import Daemon
from tests.monitoring.tools import promtool
from tests.system.node import Node
from tests.system.probes import get
from tests.system.waiting import until

DEAD = "INSERT INTO trial.item (key, state) SELECT n * 10, 'DEAD' FROM generate_series(1, 7) n"
PATIENT = {"SEXTON_NODE__LEASE": "4s"}  # renewed in time on a loaded machine, and soon over when its holder dies
DEPTH = 'sexton_queue_depth{queue="trial.item",state="dead"}'
FINISHED = "SELECT count(*) FROM sexton.run WHERE job = 'trial.tick' AND state = 'succeeded'"


def total(scrapes: list[str], sample: str) -> float:
    """The sum that Prometheus would make of one series of each node; samples of none make 0."""
    lines = [line for scrape in scrapes for line in scrape.splitlines() if line.startswith(sample)]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


async def scraped(*nodes: Node) -> list[str]:
    return [(await asyncio.to_thread(get, node, "/metrics")).body for node in nodes]


async def told_once(*nodes: Node, sample: str = "sexton_tells_of_tables ", amount: int = 1) -> list[str]:
    """Scrapes in which one node tells of the tables, and that much of the sample. At no time is there more of it."""

    async def look() -> list[str]:
        scrapes = await scraped(*nodes)
        assert total(scrapes, sample) <= amount
        tellers = total(scrapes, "sexton_tells_of_tables ")
        return scrapes if (tellers, total(scrapes, sample)) == (1, amount) else []

    return await until(look, f"one node to tell of {amount} {sample}")


async def test_a_sum_over_two_nodes_counts_each_row_once_and_outlives_the_one_that_told(
    daemon: Daemon, connection: asyncpg.Connection
) -> None:
    a = await daemon("a", **PATIENT)
    await told_once(a)
    b = await daemon("b", **PATIENT)
    await connection.execute(DEAD)
    await told_once(a, b, sample='sexton_nodes{state="alive"}', amount=2)
    scrapes = await told_once(a, b, sample=DEPTH, amount=7)
    assert sorted("sexton_job_paused{" in scrape for scrape in scrapes) == [False, True]
    await a.kill()
    await told_once(b, sample=DEPTH, amount=7)
    await b.says("rescued from a$")
    await told_once(b, sample='sexton_nodes{state="gone"}', amount=1)
    again = await daemon("a", **PATIENT)
    await told_once(again, b, sample='sexton_nodes{state="alive"}', amount=2)
    assert await again.stop() == 0
    assert await b.stop() == 0


async def test_a_real_scrape_is_lint_free_and_counts_what_the_ledger_has(
    daemon: Daemon, connection: asyncpg.Connection
) -> None:
    node = await daemon("a")
    await until(lambda: connection.fetchval(f"{FINISHED} HAVING count(*) >= 3"), "three ticks")
    await told_once(node)
    await node.says("trial.tick succeeded", count=3)
    (scrape,) = await scraped(node)
    assert total([scrape], 'sexton_runs_total{job_name="trial.tick",outcome="succeeded",suite="trial"}') >= 3
    assert total([scrape], 'sexton_job_rows_total{job_name="trial.tick",op="insert",suite="trial"}') >= 3
    linted = promtool("check", "metrics", given=scrape)
    assert (linted.returncode, linted.stdout + linted.stderr) == (0, "")
    assert await node.stop() == 0
