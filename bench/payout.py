"""A day's payout by a real daemon, against one bare statement and a row-at-a-time loop with the same effects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from bench import payout_daemon
from bench.measure import median
from bench.report import Result, Table, Target
from bench.stage import Stage, child
from daemon import sql
from workers.investment.seed import seed

DAY, EFFECTS, PAID = sql.load(__file__, "day", "effects", "paid")

ACTIVE, QUICK_ACTIVE = 1_000_000, 2_000
LOOPED, QUICK_LOOPED = 3_000, 100
PATIENCE = 1800.0


@dataclass
class Rounds:
    """What each contestant said, a mapping a round. `loop`: a commit an investment; `loop_at_once`: one in all."""

    daemon: list[dict[str, Any]] = field(default_factory=list)
    statement: list[dict[str, Any]] = field(default_factory=list)
    loop: list[dict[str, Any]] = field(default_factory=list)
    loop_at_once: list[dict[str, Any]] = field(default_factory=list)

    def seconds(self, name: str) -> list[float]:
        return [answer["seconds"] for answer in getattr(self, name)]

    def middle(self, name: str, key: str) -> float:
        return float(median([answer[key] for answer in getattr(self, name)]))


async def run(stage: Stage) -> Result:
    active, looped = (
        (QUICK_ACTIVE, QUICK_LOOPED) if stage.options.quick else (round(ACTIVE * stage.options.scale), LOOPED)
    )
    house, day = await seeded(stage, active)
    rounds = Rounds()
    effects: dict[str, int] = {}
    for n in range(1, stage.options.rounds + 1):
        stage.tell(f"round {n}: {active:,} investments, the daemon")
        async with stage.copy_of(house) as url:
            rounds.daemon.append(await payout_daemon.main(stage, url, day["due"], PATIENCE))
            left = await effects_on(url, day)
            stage.tell(f"round {n}: {looped:,} investments, row at a time")
            for name, at_once in (("loop", False), ("loop_at_once", True)):
                getattr(rounds, name).append(await by_loop(stage, house, day, looped, url, at_once=at_once))
        stage.tell(f"round {n}: {active:,} investments, one bare statement")
        async with stage.copy_of(house) as url:
            rounds.statement.append(await by_statement(stage, url, day))
            assert left == await effects_on(url, day), "the daemon and the bare statement left different rows"
        effects = {what: rows for what, (rows, _) in left.items()}
    return told(active, looped, effects, rounds)


async def seeded(stage: Stage, active: int) -> tuple[str, Mapping[str, Any]]:
    """A house with so many active investments, as a database to copy; the day to pay, and when that is due."""
    stage.tell(f"loading {active:,} active investments")
    url = await stage.fresh()
    connection = await asyncpg.connect(url)
    try:
        await seed(connection, scale=active / 1000, cache=stage.folder, progress=lambda *_: None)
        await connection.execute("VACUUM (ANALYZE)")
        (row,) = await connection.fetch(DAY.text)
        return url, dict(row)
    finally:
        await connection.close()


async def by_statement(stage: Stage, url: str, day: Mapping[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = await child(
        "bench.payout_bare:main", patience=PATIENCE, url=url, postgres=stage.postgres_pid, day=str(day["day"])
    )
    return answer


async def by_loop(
    stage: Stage, house: str, day: Mapping[str, Any], looped: int, paid_by_us: str, *, at_once: bool
) -> dict[str, Any]:
    async with stage.copy_of(house) as url:
        answer: dict[str, Any] = await child(
            "bench.payout_loop:main", patience=PATIENCE, url=url, day=str(day["day"]), investments=looped,
            at_once=at_once,
        )  # fmt: skip
    connection = await asyncpg.connect(paid_by_us)
    try:
        (row,) = await connection.fetch(PAID.text, answer["last"])
    finally:
        await connection.close()
    assert dict(row) == answer["paid"], f"the loop paid {answer['paid']}, the daemon {dict(row)}"
    return answer


async def effects_on(url: str, day: Mapping[str, Any]) -> dict[str, tuple[int, str]]:
    """Of each kind of row: how many there are, and a sum over all that they say."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET work_mem = '64MB'")
        return {r["what"]: (r["rows"], r["sum"]) for r in await connection.fetch(EFFECTS.text, day["day"])}
    finally:
        await connection.close()


def told(active: int, looped: int, effects: Mapping[str, int], rounds: Rounds) -> Result:
    paid = rounds.daemon[0]["result"]["investments"]
    mine, bare = rounds.seconds("daemon"), rounds.seconds("statement")
    of_bare = median([own / peer for own, peer in zip(mine, bare, strict=True)])
    of_loop = median([peer / looped / (own / paid) for own, peer in zip(mine, rounds.seconds("loop"), strict=True)])
    wrote = ", ".join(f"{rows:,} {what}" for what, rows in effects.items())
    contestants = Table(
        f"one day of {active:,} active investments with five-level uplines, durable PostgreSQL",
        ("", "s", "paid a second", "of the statement", "PostgreSQL CPU s"),
        [
            row("ours, request to success", median(mine), paid, bare, rounds.middle("daemon", "cpu_postgres")),
            row("one bare statement", median(bare), paid, bare, rounds.middle("statement", "cpu_postgres")),
            row("loop, a commit each*", rounds.middle("loop", "seconds") / looped * paid, paid, bare, "–"),
            row("loop, one commit*", rounds.middle("loop_at_once", "seconds") / looped * paid, paid, bare, "–"),
        ],
        f"afterwards {wrote}: the same rows, compared.\n  * {looped:,} investments, extrapolated.",
    )
    keys = {
        "rss_before": "MB resident before", "rss_peak": "MB resident, most", "cpu": "CPU s",
        "lag_p99": "loop lag p99, ms", "lag_worst": "loop lag, worst ms",
        "lag_own": "loop lag, worst ms not spent waiting for a core",
    }  # fmt: skip
    watched = {key: rounds.middle("daemon", key) for key in keys}
    supervisor = Table("the supervisor meanwhile", ("", "median"), [(what, watched[key]) for key, what in keys.items()])
    targets = [
        Target("times the bare statement", of_bare, 1.3),
        Target("times faster than the loop, a commit each", of_loop, 20, at_least=True),
        Target("supervisor, MB resident", max(r["rss_peak"] for r in rounds.daemon), 150),
        Target("event loop's lag, worst ms", max(r["lag_worst"] for r in rounds.daemon), 50),
    ]
    return Result("payout", [contestants, supervisor], targets, {"active": active, "effects": effects, **vars(rounds)})


def row(name: str, seconds: float, paid: int, bare: list[float], cpu: object) -> tuple[object, ...]:
    return name, seconds, paid / seconds, seconds / median(bare), cpu
