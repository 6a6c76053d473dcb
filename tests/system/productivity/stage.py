"""People of two zones on a database whose clock a test sets, and the daemons that remind them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import asyncpg

from daemon import Cron, catalogue, migrate
from daemon.settings import Settings
from tests.system.daemons import Daemons, environment_of
from tests.system.place import External, external_bindir
from tests.system.waiting import row

SUITE = "workers.productivity"
PLAYED = ("productivity.goal_deadlines", "productivity.daily_check")
SET_CLOCK = (
    "CREATE OR REPLACE FUNCTION sexton.clock() RETURNS timestamptz LANGUAGE sql VOLATILE "
    "AS 'SELECT clock_timestamp() + interval ''{seconds} seconds'''"
)
KNOWN = "SELECT count(*) = $1 FROM sexton.job WHERE name = ANY ($2)"
SERVED = "SELECT count(*) = $1 FROM sexton.run WHERE job = ANY ($2) AND due_at = $3 AND state = 'succeeded'"


def others() -> list[str]:
    """The suite's jobs that do not play, and would only take the time of a machine."""
    jobs = catalogue.load(Settings(suites=(SUITE,))).jobs.values()
    return [job.name for job in jobs if isinstance(job.trigger, Cron) and job.name not in PLAYED]


class NightStage(Daemons):
    def environment(self, **settings: str) -> dict[str, str]:
        ours = {
            "SEXTON_SUITES": SUITE,
            "SEXTON_NODE__LEASE": "3s",
            "SEXTON_SUITE__PRODUCTIVITY__REMINDERS__GOAL_DEADLINES_AT": "02:15",
            "SEXTON_SUITE__PRODUCTIVITY__REMINDERS__DAILY_CHECK_AT": "01:45",
            "SEXTON_SUITE__PRODUCTIVITY__REMINDERS__DAILY_CHECK_DAYS": "3650",
            **{f"SEXTON_JOBS__{name.replace('.', '__').upper()}__SCHEDULE": "ondemand" for name in others()},
        }
        return environment_of(self.place, self.folder, self.mark, **{**ours, **settings})

    async def begun(self) -> None:
        """Both reminders are known to the ledger: a job that is new has no past."""
        async with self.place.connection() as connection:
            await row(connection, KNOWN, len(PLAYED), list(PLAYED))

    async def set_clock(self, at: datetime) -> None:
        """It is `at` for the database and, as soon as they hear of it, for all daemons: at once, and all of them."""
        async with self.place.connection() as connection:
            ahead = (at - await connection.fetchval("SELECT clock_timestamp()")).total_seconds()
            await connection.execute(SET_CLOCK.format(seconds=ahead))
            await connection.execute("SELECT pg_notify('sexton', 'job')")

    async def served(self, at: datetime) -> None:
        """Both reminders have been due then, and their runs have ended well."""
        async with self.place.connection() as connection:
            await row(connection, SERVED, len(PLAYED), list(PLAYED), at)


@asynccontextmanager
async def staged(folder: Path) -> AsyncIterator[NightStage]:
    """A migrated database; whatever happens, nothing of it is left afterwards."""
    place = External(folder / "state", external_bindir())
    await place.start()
    stage = NightStage(place, folder)
    try:
        connection = await asyncpg.connect(place.known_as)
        try:
            suite = migrate.suite_migrations({"productivity": SUITE})
            await migrate.migrate(connection, [*migrate.engine_migrations(), *suite])
        finally:
            await connection.close()
        yield stage
    finally:
        await stage.clear()
