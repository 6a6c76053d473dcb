"""The productivity suite's daily analytics, against bare statements that leave the same rows; memory and loop lag."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from bench.measure import median
from bench.platform import SESSIONS_EACH, Step, by_statements, by_the_job, effects_on, loaded
from bench.report import Result, Table, Target
from bench.stage import Stage
from daemon import sql
from workers.productivity.daily_analytics import daily_analytics

COUNTED_BEFORE, EFFECTS = sql.load(__file__, "counted_before", "effects")
FORGET, ACTIVITY, COHORTS, PEOPLE, RETENTION, SESSIONS, GOALS = sql.load(
    __file__, "bare_forget", "bare_activity", "bare_cohorts", "bare_people", "bare_retention", "bare_sessions",
    "bare_goals",
)  # fmt: skip

PEOPLE_AT_SCALE_1, QUICK_PEOPLE = 1_000_000, 500
NOW = datetime(2026, 11, 26, 1, tzinfo=UTC)
DAY = NOW.date() - timedelta(days=1)
FIRST = DAY - timedelta(days=2)


async def run(stage: Stage) -> Result:
    people = QUICK_PEOPLE if stage.options.quick else round(PEOPLE_AT_SCALE_1 * stage.options.scale)
    before = (COUNTED_BEFORE, (DAY - timedelta(days=31), DAY - timedelta(days=1)))
    platform = await loaded(stage, people, NOW, before)
    ours, bare, effects = list[dict[str, Any]](), list[float](), dict[str, Any]()
    for n in range(1, stage.options.rounds + 1):
        async with stage.copy_of(platform) as url:
            stage.tell(f"round {n}: daily_analytics")
            ours.append(await by_the_job(daily_analytics, url, NOW))
            effects = await effects_on(url, EFFECTS)
        async with stage.copy_of(platform) as url:
            stage.tell(f"round {n}: the bare statements")
            bare.append(await by_statements(url, bare_statements()))
            expected = await effects_on(url, EFFECTS)
        assert effects == expected, f"the job left {effects}, the bare statements {expected}"
    return told(people, ours, bare, effects)


def bare_statements() -> list[Step]:
    now, days = (FIRST, DAY, NOW), (FIRST, DAY)
    return [
        (FORGET, days), (COHORTS, now), (ACTIVITY, now), (PEOPLE, days), (RETENTION, days), (SESSIONS, now),
        (GOALS, now),
    ]  # fmt: skip


def told(people: int, ours: list[dict[str, Any]], bare: list[float], effects: dict[str, Any]) -> Result:
    seconds = [own["s"] for own in ours]
    ratio = median([own / peer for own, peer in zip(seconds, bare, strict=True)])
    lag, memory = (max(own[what] for own in ours) for what in ("lag_ms", "mb"))
    table = Table(
        f"daily_analytics, {people:,} people, {people * SESSIONS_EACH:,} sessions, durable PostgreSQL",
        ("", "s", "bare s", "of the bare statements", "loop's lag, ms", "MB taken"),
        [("three days", median(seconds), median(bare), ratio, lag, memory)],
        "Both left the same activity, people, retention, sessions and goals, compared; the job also features, overdue\n"
        "  goals, lead times, bad sessions and anomalies. The bare ones use PostgreSQL's zones and know no moves.",
    )
    targets = [
        Target("daily_analytics, times the bare statements", ratio, 2),
        Target("loop's lag, ms", lag, 50),
        Target("MB taken", memory, 50),
    ]
    figures = {
        "people": people,
        "effects": {what: rows for what, (rows, _) in effects.items()},
        "ours": ours,
        "bare": bare,
    }
    return Result("analytics", [table], targets, figures)
