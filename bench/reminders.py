"""A tick of each reminder with everybody in it, against bare statements that leave the same rows; memory, loop lag."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.measure import median
from bench.platform import SESSIONS_EACH, by_statements, by_the_job, effects_on, loaded
from bench.report import Result, Table, Target
from bench.stage import Stage
from daemon import Job, sql
from workers.productivity.break_reminders import break_reminders
from workers.productivity.daily_check import daily_check
from workers.productivity.goal_deadlines import goal_deadlines
from workers.productivity.inactive_users import inactive_users
from workers.productivity.monthly_report import monthly_report
from workers.productivity.weekly_review import weekly_review

CAME_LAST, GOAL_DEADLINES, INACTIVE_USERS, DAILY_CHECK, BREAK_REMINDERS, EFFECTS = sql.load(
    __file__, "came_last", "bare_goal_deadlines", "bare_inactive_users", "bare_daily_check", "bare_break_reminders",
    "effects",
)  # fmt: skip

WEEKLY_REVIEW, MONTHLY_REPORT = sql.load(
    str(Path(__file__).with_name("reviews.sql")), "bare_weekly_review", "bare_monthly_report"
)

PEOPLE_AT_SCALE_1, QUICK_PEOPLE = 1_000_000, 500
SUNDAY = datetime(2026, 11, 1, tzinfo=UTC)  # and the first of a month
MONDAY_AT_TEN = SUNDAY + timedelta(hours=34)
PAGES = "https://app.example.org"
LITERAL = {"frontend_url": PAGES, "reminders": {"timezone": "UTC"}}
"""One zone for everybody, so that one tick is for all."""


@dataclass(frozen=True, slots=True)
class Tick:
    """`bare` None: it is measured alone."""

    job: Job
    at: datetime
    bare: sql.Statement | None = None
    name: str = ""

    @property
    def told(self) -> str:
        return self.name or self.job.name.partition(".")[2]


TICKS = (
    Tick(goal_deadlines, SUNDAY + timedelta(hours=9), GOAL_DEADLINES),
    Tick(inactive_users, SUNDAY + timedelta(hours=10), INACTIVE_USERS),
    Tick(daily_check, SUNDAY + timedelta(hours=18), DAILY_CHECK),
    Tick(monthly_report, SUNDAY + timedelta(hours=9), MONTHLY_REPORT),
    Tick(weekly_review, SUNDAY + timedelta(hours=19), WEEKLY_REVIEW),
    Tick(break_reminders, MONDAY_AT_TEN, BREAK_REMINDERS),
)
ALONE = (Tick(goal_deadlines, SUNDAY + timedelta(hours=9, minutes=15), name="goal_deadlines, the tick after"),)


async def run(stage: Stage) -> Result:
    people = QUICK_PEOPLE if stage.options.quick else round(PEOPLE_AT_SCALE_1 * stage.options.scale)
    platform = await loaded(stage, people, MONDAY_AT_TEN, (CAME_LAST, (MONDAY_AT_TEN,)))
    ours = {tick.told: list[dict[str, Any]]() for tick in (*TICKS, *ALONE)}
    bare = {tick.told: list[float]() for tick in TICKS}
    effects = dict[str, Any]()
    for n in range(1, stage.options.rounds + 1):
        async with stage.copy_of(platform) as url:
            await tick_all(stage, n, url, TICKS, ours)
            effects = await effects_on(url, EFFECTS)
            await tick_all(stage, n, url, ALONE, ours)
        async with stage.copy_of(platform) as url:
            for tick in TICKS:
                stage.tell(f"round {n}: {tick.told}, the bare statement")
                assert tick.bare is not None
                bare[tick.told].append(await by_statements(url, [(tick.bare, (tick.at, PAGES))]))
            expected = await effects_on(url, EFFECTS)
        assert effects == expected, f"the jobs left {effects}, the bare statements {expected}"
    return told(people, ours, bare, {what: rows for what, (rows, _) in effects.items()})


async def tick_all(
    stage: Stage, n: int, url: str, ticks: Sequence[Tick], ours: dict[str, list[dict[str, Any]]]
) -> None:
    for tick in ticks:
        stage.tell(f"round {n}: {tick.told}")
        ours[tick.told].append(await by_the_job(tick.job, url, tick.at, LITERAL))


def told(
    people: int, ours: dict[str, list[dict[str, Any]]], bare: dict[str, list[float]], effects: dict[str, int]
) -> Result:
    def ratio(name: str) -> float:
        return median([own["s"] / peer for own, peer in zip(ours[name], bare[name], strict=True)])

    rows = [
        (name, found[-1]["result"]["sent"], median([own["s"] for own in found]),
         *((median(bare[name]), ratio(name)) if name in bare else ("", "")))
        for name, found in ours.items()
    ]  # fmt: skip
    table = Table(
        f"one tick, {people:,} people in one zone, {people * SESSIONS_EACH:,} sessions, durable PostgreSQL",
        ("", "mails", "s", "bare s", "of the bare statement"),
        rows,
        "Both left the same mails and log of who was told, compared, but for the tick after. The bare ones know no\n"
        "  wishes, no suppression, no moves, and nothing of who was told before.",
    )
    every = [own for found in ours.values() for own in found]
    targets = [
        *(Target(f"{name}, times the bare statement", ratio(name), 2) for name in bare),
        Target("loop's lag, ms", max(own["lag_ms"] for own in every), 50),
        Target("MB taken", max(own["mb"] for own in every), 50),
    ]
    return Result("reminders", [table], targets, {"people": people, "effects": effects, "ours": ours, "bare": bare})
