"""What a daemon with 45 jobs and nothing to do costs; how soon it is READY; how soon it is gone."""

from __future__ import annotations

import asyncio
from typing import Any

import psutil

from bench import house
from bench.daemon_process import configured, daemon
from bench.measure import CpuMeter, median, resident_mb, unique_mb
from bench.report import Result, Table, Target
from bench.stage import Stage

STARTS = 5
SETTLE = 10.0


async def run(stage: Stage) -> Result:
    """On an embedded database, as `make run` has it: the daemon's own server is part of what is measured."""
    quick = stage.options.quick
    package = house.build(stage.folder / "import")
    config = configured(stage.folder / "house", suites=("workers.flights", package))
    environment = {"PYTHONPATH": str(stage.folder / "import")}
    stage.tell("creating the database")
    async with daemon(config, environment) as first:
        await first.stop()
    ready, gone = [], []
    for n in range(1 if quick else STARTS):
        stage.tell(f"start and stop {n + 1}")
        async with daemon(config, environment) as running:
            ready.append(running.to_ready)
            await asyncio.sleep(0.1 if quick else 1)
            gone.append(await running.stop())
    windows = []
    for n in range(stage.options.rounds):
        stage.tell(f"round {n + 1}: idle")
        async with daemon(config, environment) as running:
            windows.append(await watched(running.pid, stage))
            gone.append(await running.stop())
    return told(ready, gone, windows)


async def watched(pid: int, stage: Stage) -> dict[str, Any]:
    """CPU and memory of the supervisor and of its PostgreSQL, apart. No worker runs: nothing was computed."""
    seconds = 3.0 if stage.options.quick else max(stage.options.seconds, 20.0)
    await asyncio.sleep(0.5 if stage.options.quick else SETTLE)
    meter = CpuMeter(pid)
    await meter.sampled_for(seconds, every=5.0)
    spent = meter.by_process()
    supervisor = spent.pop(pid, 0.0)
    postmaster = [p for p in psutil.Process(pid).children() if "postgres" in " ".join(p.cmdline())]
    return {
        "seconds": seconds,
        "cpu": supervisor / seconds,
        "cpu_postgres": sum(spent.values()) / seconds,
        "rss_mb": resident_mb(pid),
        "postgres_mb": sum(unique_mb(p.pid) for p in postmaster),
    }


def told(ready: list[float], gone: list[float], windows: list[dict[str, Any]]) -> Result:
    def of(key: str) -> float:
        return float(median([w[key] for w in windows]))

    percent, postgres = 100 * of("cpu"), 100 * of("cpu_postgres")
    jobs = len(house.SCHEDULES) + 3
    return Result(
        "idle",
        [
            Table(
                f"{jobs} jobs, nothing due, over {of('seconds'):.0f} s, embedded PostgreSQL",
                ("", "CPU % of a core", "MB"),
                [
                    ("supervisor", percent, of("rss_mb")),
                    ("PostgreSQL, all its processes", postgres, of("postgres_mb")),
                    ("together", percent + postgres, of("rss_mb") + of("postgres_mb")),
                ],
                "MB: resident for the supervisor; for PostgreSQL what is its own, shared memory counted for nobody",
            ),
            Table(
                "start on an existing database, and stop",
                ("", "median s", "worst s", "times"),
                [
                    ("start to READY", median(ready), max(ready), len(ready)),
                    ("SIGTERM to exit, idle", median(gone), max(gone), len(gone)),
                ],
            ),
        ],
        [
            Target("CPU of daemon and PostgreSQL, % of a core", percent + postgres, 0.2),
            Target("supervisor, MB resident", of("rss_mb"), 90),
            Target("start to READY, s", median(ready), 1.0),
            Target("idle SIGTERM to exit, s", median(gone), 0.5),
        ],
        {"ready_s": ready, "exit_s": gone, "windows": windows, "jobs": jobs},
    )
