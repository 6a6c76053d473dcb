"""The payout by a real `sexton run`, watched from outside, with a pulse of its own loop."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg

from bench.daemon_process import configured, daemon
from bench.measure import CpuMeter, resident_mb
from bench.pulse.beat import beat
from bench.stage import Stage
from daemon import sql
from daemon.actions import request_run
from daemon.actions_deed import Actor
from workers.investment.daily_roi_distribution import daily_roi_distribution

ENDED, RESULT = sql.load(str(Path(__file__).with_name("payout.sql")), "ended", "result")

LOOK_EVERY = 0.05
SAMPLE_EVERY = 20  # looks: to count the processes of another tree is not free
PERSON = Actor("bench", reason="a benchmark")


async def main(stage: Stage, url: str, due: datetime, patience: float) -> dict[str, Any]:
    """From the request's commit until the run has succeeded; memory in MB, lag of the event loop in ms."""
    folder = stage.folder / "payout"
    config = configured(folder, url=url, suites=("workers.investment", "bench.pulse"))
    sign = folder / "pulse"
    async with daemon(config) as running:
        connection = await asyncpg.connect(url)
        try:
            sign.touch()
            pulse = await request_run(connection, PERSON, beat, due_at=due, args={"while": str(sign)})
            await asyncio.sleep(1)  # memory and loop have come to rest
            watched = await payout(connection, stage, running.pid, due, patience)
            sign.unlink()
            await ended(connection, pulse, patience)
            lag = json.loads(await connection.fetchval(RESULT.text, pulse))
        finally:
            await connection.close()
    return {**watched, **{f"lag_{what}": lag[what] for what in ("worst", "own", "p99", "beats")}}


async def payout(
    connection: asyncpg.Connection, stage: Stage, pid: int, due: datetime, patience: float
) -> dict[str, Any]:
    before = peak = resident_mb(pid)
    mine, theirs = CpuMeter(pid), CpuMeter(stage.postgres_pid)
    run = await request_run(connection, PERSON, daily_roi_distribution, due_at=due)
    began = time.perf_counter()
    async with asyncio.timeout(patience):
        for look in count():
            if await connection.fetchrow(ENDED.text, run):
                break
            peak = max(peak, resident_mb(pid))
            if look % SAMPLE_EVERY == 0:
                theirs.sample()
            await asyncio.sleep(LOOK_EVERY)
    took = time.perf_counter() - began
    await ended(connection, run, patience)
    return {
        "seconds": took, "cpu": mine.sample(), "cpu_postgres": theirs.sample(), "rss_before": before,
        "rss_peak": peak, "result": json.loads(await connection.fetchval(RESULT.text, run)),
    }  # fmt: skip


async def ended(connection: asyncpg.Connection, run: int, patience: float) -> None:
    """Wait for the end of a run. Raises `RuntimeError` if it is no success."""
    async with asyncio.timeout(patience):
        while (row := await connection.fetchrow(ENDED.text, run)) is None:
            await asyncio.sleep(LOOK_EVERY)
    if row["state"] != "succeeded":
        raise RuntimeError(f"run {run} is {row['state']}: {row['error']}")
