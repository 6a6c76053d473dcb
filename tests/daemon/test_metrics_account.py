"""The counters against the ledger: what became of every due instant is counted, once."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import asyncpg

from daemon import CatchUp, Context, Cron, Every, minutes
from daemon.job import Held, Job
from daemon.metrics import OUTCOMES, Metrics, job_labels
from daemon.roster import fingerprint_of
from tests.daemon.harness import a_job, node

HOURLY = Cron("0 * * * *", tz="UTC")
HOURS = 30
LEDGER = """
    SELECT job, state, sum(count)::int AS instants FROM sexton.run
    WHERE state IN ('succeeded', 'failed', 'skipped', 'missed', 'held') GROUP BY job, state
"""
OPEN = "SELECT count(*) FROM sexton.run WHERE state IN ('ready', 'running', 'waiting')"


async def well(_: Context) -> None: ...


async def badly(_: Context) -> None:
    raise ValueError("spilt")


async def undecided(_: Context) -> None:
    raise Held("is it tea time?")


JOBS = (
    a_job(well, HOURLY, "t.latest", catch_up=CatchUp.LATEST),  # one runs, the others are coalesced
    a_job(well, HOURLY, "t.none", catch_up=CatchUp.NONE),  # all were too late
    a_job(well, HOURLY, "t.each", catch_up=CatchUp.EACH(100)),  # all run
    a_job(well, HOURLY, "t.owed", catch_up=CatchUp.EACH(3)),  # too many: all are held
    a_job(badly, HOURLY, "t.bad", catch_up=CatchUp.LATEST, retries=0),
    a_job(undecided, HOURLY, "t.asks", catch_up=CatchUp.LATEST),
    a_job(well, HOURLY, "t.paused", catch_up=CatchUp.LATEST),
    a_job(well, Every(3600, phase=0), "t.dependent", catch_up=CatchUp.LATEST, requires=("t.bad",), timeout=minutes(1)),
)  # fmt: skip


async def known_for_a_day(connection: asyncpg.Connection, jobs: tuple[Job, ...]) -> None:
    """As if a node had evaluated them 30 hours ago, and none had run since."""
    since = datetime.now(UTC) - timedelta(hours=HOURS)
    rows = [(job.name, fingerprint_of(job), since, "asha" if job.name == "t.paused" else None) for job in jobs]
    await connection.executemany(
        "INSERT INTO sexton.job (name, schedule_fingerprint, evaluated_until, paused_by) VALUES ($1, $2, $3, $4)", rows
    )


async def test_every_outcome_of_every_due_instant_is_counted_once(url: str, connection: asyncpg.Connection) -> None:
    await known_for_a_day(connection, JOBS)
    metrics = Metrics("1")
    metrics.introduce([job.name for job in JOBS], [])
    async with node(url, *JOBS) as n:
        while await connection.fetchval(OPEN) or n.engine.executor.active:
            await asyncio.sleep(0.02)
        rows = await connection.fetch(LEDGER)
    for event in n.events:
        metrics(event)
    ledger = Counter({(row["job"], row["state"]): row["instants"] for row in rows})
    assert counted(metrics) == ledger
    assert {state for _, state in ledger} == {"succeeded", "failed", "skipped", "missed", "held"}


def counted(metrics: Metrics) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for job in JOBS:
        suite, name = job_labels(job.name)
        for outcome in OUTCOMES:
            labels = {"suite": suite, "job_name": name, "outcome": outcome}
            if amount := metrics.registry.get_sample_value("sexton_runs_total", labels):
                found[job.name, outcome] = int(amount)
    return found
