"""Load the sample data: students, what they said and are remembered by, and how AI providers were used for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daemon import sql
from workers.tutoring import sample_school as sample

if TYPE_CHECKING:
    import asyncpg

COUNTS, NOW, ADD_SUBJECTS, ADD_TOPICS, ADD_PRICES, OPEN_MONTHS = sql.load(
    __file__, "counts", "now", "add_subjects", "add_topics", "add_prices", "open_months"
)
OF_STUDENTS = sql.load(
    __file__, "add_students", "add_conversations", "add_messages", "add_memories", "add_usage", "add_cache",
    "add_quotas",
)  # fmt: skip
GO_ON_NUMBERING, ANALYZE = sql.load(__file__, "go_on_numbering", "analyze")

Progress = Callable[[str, int, int], None]

BROUGHT_ALONG = ("tutoring.ai_provider",)
"""Has rows in a database that nobody has used: migrations name the providers."""
STUDENTS_AT_SCALE_1 = 500
BLOCK = 1_000
"""Students loaded in one transaction, so that an interrupted load goes on where it stopped."""


async def seed(
    connection: asyncpg.Connection[Any], *, scale: float, cache: Path, progress: Progress
) -> Mapping[str, int]:
    """Load what is missing and say how many rows were new.

    `scale` 1 is 500 students with 60 days of usage, of which two are a gap and the last is unusual; N is N times as
    many, with the same beginning, so that a larger scale adds to a smaller one. Raises `ValueError` where there are
    students who are not the sample's.
    """
    del cache  # nothing is downloaded
    there = await connection.fetchrow(COUNTS.text)
    assert there is not None
    if there["strangers"] or there["students"] != there["last_student"]:
        raise ValueError("tutoring.profile has students of its own: sample data goes into a database without any")
    now = await connection.fetchval(NOW.text)
    async with connection.transaction():
        await connection.execute(ADD_SUBJECTS.text, list(sample.SUBJECTS))
        topics = [(subject, topic) for subject, names in sample.SUBJECTS.items() for topic in names]
        await connection.execute(ADD_TOPICS.text, [t[0] for t in topics], [t[1] for t in topics])
        await connection.execute(ADD_PRICES.text, list(sample.PRICES), *zip(*sample.PRICES.values(), strict=True))
        await connection.execute(OPEN_MONTHS.text, now)
    wanted = max(1, round(scale * STUDENTS_AT_SCALE_1))
    await load_students(connection, there["last_student"], wanted, now, progress)
    await connection.execute(GO_ON_NUMBERING.text)
    await connection.execute(ANALYZE.text)
    after = await connection.fetchrow(COUNTS.text)
    assert after is not None
    return {what: after[what] - there[what] for what in ("students", "conversations", "memories", "usage")}


async def load_students(
    connection: asyncpg.Connection[Any], after: int, wanted: int, now: object, progress: Progress
) -> None:
    """The students above `after` up to `wanted`, a block at a time with all that belongs to them, or without."""
    progress("students", min(after, wanted), wanted)
    while after < wanted:
        upto = min(wanted, (after // BLOCK + 1) * BLOCK)
        async with connection.transaction():
            for statement in OF_STUDENTS:
                names = (list(sample.FIRST), list(sample.LAST)) if statement.name == "add_students" else ()
                await connection.execute(statement.text, after, upto, now, *names)
        after = upto
        progress("students", after, wanted)
