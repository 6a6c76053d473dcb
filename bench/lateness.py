"""Many jobs due at the same second, durably: how late bodies begin, none lost, at which cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bench.measure import median
from bench.report import Result, Table, Target
from bench.stage import Stage, child

CONTESTANTS = {
    "ours": "bench.lateness_ours:main",
    "limit": "bench.lateness_limit:main",
    "APScheduler, in memory": "bench.lateness_apscheduler:main",
}


@dataclass(frozen=True, slots=True)
class Load:
    """`jobs` are due together every `period` seconds, `instants` times."""

    name: str
    jobs: int
    period: int
    instants: int

    @property
    def patience(self) -> float:
        return self.period * (self.instants + 3) + 90


async def run(stage: Stage) -> Result:
    options = stage.options
    loads = (
        Load("steady", 1000, 1, round(options.seconds)),
        Load("burst", 10_000, 10, max(1, round(options.seconds / 20))),
    )
    if options.quick:
        loads = (Load("steady", 50, 1, 2), Load("burst", 200, 1, 1))
    found: dict[str, dict[str, list[dict[str, Any]]]] = {
        load.name: {name: [] for name in CONTESTANTS} for load in loads
    }
    for n in range(options.rounds):
        for load in loads:
            for name, function in CONTESTANTS.items():
                stage.tell(f"round {n + 1}: {load.jobs:,} jobs each {load.period} s, {load.instants} times: {name}")
                url = await stage.fresh()
                answer = await child(
                    function, patience=load.patience, url=url, postgres=stage.postgres_pid, jobs=load.jobs,
                    period=load.period, instants=load.instants,
                )  # fmt: skip
                found[load.name][name].append(answer)
    return told(loads, found)


def told(loads: tuple[Load, ...], found: dict[str, dict[str, list[dict[str, Any]]]]) -> Result:
    result = Result("lateness", figures={"loads": found})
    for load in loads:
        of = found[load.name]
        p99 = {name: median([r["p99"] for r in rounds]) for name, rounds in of.items()}
        rows = [
            (
                name, median([r["p50"] for r in rounds]), p99[name], max(r["worst"] for r in rounds),
                p99[name] / p99["limit"], sum(r["lost"] for r in rounds),
                100 * median([r["cpu"] for r in rounds]), 100 * median([r["cpu_postgres"] for r in rounds]),
            )
            for name, rounds in of.items()
        ]  # fmt: skip
        title = f"{load.name}: {load.jobs:,} no-op jobs due together every {load.period} s, {load.instants} times"
        columns = ("", "p50 ms", "p99 ms", "max ms", "p99 of limit", "lost", "CPU %", "PostgreSQL %")
        result.tables.append(Table(title, columns, rows, "start less due; CPU in % of one core over the window"))
        ratio = median([o["p99"] / b["p99"] for o, b in zip(of["ours"], of["limit"], strict=True)])
        result.targets.append(Target(f"{load.name}: p99, times the limit", ratio, 2.5))
        result.targets.append(Target(f"{load.name}: instants lost", sum(r["lost"] for r in of["ours"]), 0))
    burst = found["burst"]
    peer = median([o["p99"] / a["p99"] for o, a in zip(burst["ours"], burst["APScheduler, in memory"], strict=True)])
    result.targets.append(Target("burst: p99, times APScheduler's", peer, 1.0))
    return result
