"""Load the sample data: people in many zones, with months of sessions and goals, of whom many have left again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daemon import sql
from workers.productivity import sample_people as sample

if TYPE_CHECKING:
    import asyncpg

COUNTS, NOW = sql.load(__file__, "counts", "now")
ADD_USERS, ADD_PREFS, ADD_GOALS, ADD_SESSIONS, NOTE_ACTIVITY = sql.load(
    __file__, "add_users", "add_prefs", "add_goals", "add_sessions", "note_activity"
)
GO_ON_NUMBERING, ANALYZE = sql.load(__file__, "go_on_numbering", "analyze")

PEOPLE_AT_SCALE_1 = 1_000
BLOCK = 1_000
"""People loaded in one transaction, so that an interrupted load goes on where it stopped."""

Progress = Callable[[str, int, int], None]


async def seed(
    connection: asyncpg.Connection[Any], *, scale: float, cache: Path, progress: Progress
) -> Mapping[str, int]:
    """Load what is missing and say how many rows were new.

    `scale` 1 is 1,000 people who signed up within the last 300 days; N is N times as many, with the same beginning, so
    that a larger scale adds to a smaller one. Raises `ValueError` where there are people who are not the sample's.
    """
    del cache  # nothing is downloaded
    there = await connection.fetchrow(COUNTS.text)
    assert there is not None
    if there["strangers"] or there["people"] != there["last_person"]:
        raise ValueError("productivity.users has people of its own: sample data goes into a database without any")
    now = await connection.fetchval(NOW.text)
    await load_people(connection, there["last_person"], max(1, round(scale * PEOPLE_AT_SCALE_1)), now, progress)
    await connection.execute(GO_ON_NUMBERING.text)
    await connection.execute(ANALYZE.text)
    after = await connection.fetchrow(COUNTS.text)
    assert after is not None
    return {what: after[what] - there[what] for what in ("people", "goals", "sessions")}


async def load_people(
    connection: asyncpg.Connection[Any], after: int, wanted: int, now: datetime, progress: Progress
) -> None:
    """The people above `after` up to `wanted`, a block at a time with all that is theirs, or without."""
    progress("people", min(after, wanted), wanted)
    while after < wanted:
        upto = min(wanted, (after // BLOCK + 1) * BLOCK)
        async with connection.transaction():
            block = (after, upto, now)
            await connection.execute(
                ADD_USERS.text, *block, list(sample.FIRST), list(sample.LAST), list(sample.ZONE_OF_A_HUNDRED)
            )
            await connection.execute(ADD_PREFS.text, *block)
            await connection.execute(ADD_GOALS.text, *block, list(sample.GOALS))
            await connection.execute(ADD_SESSIONS.text, *block, list(sample.FEATURES))
            await connection.execute(NOTE_ACTIVITY.text, *block)
        after = upto
        progress("people", after, wanted)
