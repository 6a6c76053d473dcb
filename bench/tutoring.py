"""The tutoring suite's jobs over a million rows each, against bare statements that leave the same rows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg

from bench.measure import median
from bench.report import Result, Table, Target
from bench.stage import Stage
from daemon import Job, sql
from daemon.testing import perform
from workers.tutoring import profile_refresh as profiles
from workers.tutoring import usage_analysis as usage
from workers.tutoring import weekly_summary_generation as summaries
from workers.tutoring.archive_conversations import archive_conversations
from workers.tutoring.daily_memory_cleanup import daily_memory_cleanup
from workers.tutoring.monthly_quota_reset import monthly_quota_reset
from workers.tutoring.settings import Settings

LOADS = sql.load(
    __file__, "load_students", "load_subjects", "load_memories", "load_usage", "load_conversations", "load_messages",
    "load_quotas",
)  # fmt: skip
SETTINGS, REMOVE_MEMORIES, ARCHIVE_ALL, CLOSE_ALL, OPEN_ALL, EFFECTS = sql.load(
    __file__, "settings", "remove_memories", "archive_all", "close_all", "open_all", "effects"
)

ROWS, QUICK_ROWS = 1_000_000, 2_000
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)  # a Sunday
MIDNIGHT = NOW - timedelta(hours=12)
WEEK = summaries.week_before(NOW.date())
EVERYBODY = 1 << 62
BOUNDS = {"daily_memory_cleanup": 6}
"""Locks each row before it deletes it, so as to pass over those that somebody holds; measures before and after."""


@dataclass(frozen=True, slots=True)
class Contest:
    """A job at an instant, what it works through, and the statements that do the same, with their arguments."""

    job: Job
    due_at: datetime
    what: str
    bare: Sequence[tuple[sql.Statement, Sequence[object]]]


def contests(rows: int) -> list[Contest]:
    month, year = NOW.date().replace(day=1), timedelta(days=30)
    return [
        Contest(usage.usage_analysis, MIDNIGHT + timedelta(hours=1), f"{rows:,} calls of a day",
                [(usage.SUM_UP, (MIDNIGHT.date() - timedelta(days=1), NOW))]),
        Contest(daily_memory_cleanup, MIDNIGHT, f"{rows:,} memories",
                [(REMOVE_MEMORIES, (MIDNIGHT.replace(month=3), MIDNIGHT))]),
        Contest(summaries.weekly_summary_generation, MIDNIGHT, f"{rows // 2:,} messages of a week",
                [(summaries.WRITE, (*WEEK, 0, EVERYBODY))]),
        Contest(profiles.profile_refresh, NOW, f"{rows // 2:,} messages, {rows // 10:,} students",
                [(profiles.REFRESH, (NOW, 0, EVERYBODY, NOW - 3 * year))]),
        Contest(archive_conversations, NOW, f"{rows // 20:,} conversations, {rows // 2:,} messages",
                [(ARCHIVE_ALL, (NOW - 6 * year, NOW))]),
        Contest(monthly_quota_reset, MIDNIGHT.replace(day=1), f"{rows // 10:,} students",
                [(CLOSE_ALL, (month, MIDNIGHT.replace(day=1))), (OPEN_ALL, (month,))]),
    ]  # fmt: skip


async def run(stage: Stage) -> Result:
    rows = QUICK_ROWS if stage.options.quick else round(ROWS * stage.options.scale)
    school = await loaded(stage, rows)
    among = contests(rows)
    ours: dict[str, list[float]] = {c.job.name: [] for c in among}
    bare: dict[str, list[float]] = {c.job.name: [] for c in among}
    effects: dict[str, int] = {}
    for n in range(1, stage.options.rounds + 1):
        async with stage.copy_of(school) as url:
            for contest in among:
                stage.tell(f"round {n}: {contest.job.name}")
                ours[contest.job.name].append(await by_the_job(contest, url))
            left = await effects_on(url)
        async with stage.copy_of(school) as url:
            for contest in among:
                stage.tell(f"round {n}: {contest.job.name}, the bare statement")
                bare[contest.job.name].append(await by_statement(contest, url))
            expected = await effects_on(url)
        assert left == expected, f"the jobs left {left}, the bare statements {expected}"
        effects = {what: count for what, (count, _) in left.items()}
    return told(among, ours, bare, effects)


async def loaded(stage: Stage, rows: int) -> str:
    """A school as a database to copy: so many calls and memories, half as many messages of last week and old ones."""
    students = max(rows // 10, 20)
    arguments = {
        "load_students": (students, NOW), "load_memories": (rows, MIDNIGHT, students),
        "load_usage": (rows, NOW, students), "load_conversations": (rows // 10, NOW, students), "load_quotas": (NOW,),
    }  # fmt: skip
    url = await stage.fresh()
    connection = await asyncpg.connect(url)
    try:
        for statement in LOADS:
            stage.tell(statement.name.replace("_", " "))
            await connection.execute(statement.text, *arguments.get(statement.name, ()))
        await connection.execute("VACUUM (ANALYZE)")
    finally:
        await connection.close()
    return url


async def by_the_job(contest: Contest, url: str) -> float:
    """Seconds from its claim to its recorded success."""
    began = time.perf_counter()
    run = await perform(contest.job, url=url, due_at=contest.due_at, settings=Settings(), now=NOW)
    took = time.perf_counter() - began
    if run.ending != "succeeded":
        raise RuntimeError(f"{contest.job.name} {run.ending}: {run.error}")
    return took


async def by_statement(contest: Contest, url: str) -> float:
    """Seconds for all its statements, as one transaction."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(SETTINGS.text)
        began = time.perf_counter()
        async with connection.transaction():
            for statement, arguments in contest.bare:
                await connection.execute(statement.text, *arguments)
        return time.perf_counter() - began
    finally:
        await connection.close()


async def effects_on(url: str) -> dict[str, tuple[int, str]]:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET work_mem = '64MB'")
        return {row["what"]: (row["rows"], row["sum"]) for row in await connection.fetch(EFFECTS.text)}
    finally:
        await connection.close()


def told(
    among: Sequence[Contest], ours: dict[str, list[float]], bare: dict[str, list[float]], effects: dict[str, int]
) -> Result:
    def ratio(name: str) -> float:
        return median([own / peer for own, peer in zip(ours[name], bare[name], strict=True)])

    rows = [
        (c.job.name.partition(".")[2], c.what, median(ours[c.job.name]), median(bare[c.job.name]), ratio(c.job.name))
        for c in among
    ]
    table = Table(
        "the tutoring suite's jobs, durable PostgreSQL",
        ("", "over", "s", "bare s", "of the bare statement"),
        rows,
        "Both left the same rows, compared. The jobs look first at what there is to do, do it in pages, of which a\n"
        "  crash repeats one, and report it; the bare statements do everything at once and say nothing.",
    )
    names = {c.job.name.partition(".")[2]: c.job.name for c in among}
    targets = [
        Target("usage_analysis, s", median(ours[names["usage_analysis"]]), 15),
        Target("daily_memory_cleanup, s", median(ours[names["daily_memory_cleanup"]]), 30),
        *(
            Target(f"{short}, times the bare statement", ratio(name), BOUNDS.get(short, 2))
            for short, name in names.items()
        ),
    ]
    return Result("tutoring", [table], targets, {"effects": effects, "ours": ours, "bare": bare})
