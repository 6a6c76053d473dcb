"""A school on a database of its own, with a wire between its daemon and its database."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from daemon import Cron, Every, catalogue, migrate
from daemon.settings import Settings
from tests.system.daemons import WITHOUT_PAGES, Daemons, environment_of
from tests.system.place import External, external_bindir
from tests.system.waiting import row
from tests.system.wire import SOCKET, Moment, Wire
from workers.tutoring.seed import STUDENTS_AT_SCALE_1, seed

SUITE = "workers.tutoring"
BATCH = 25
UNHURRIED = "10s"
"""A lease that does not run out while the world stands still and a test looks about."""
A_BATCH_COMMITTED = "SELECT coalesce((cursor #>> '{}')::bigint, 0) > 0 FROM sexton.run WHERE id = $1"


def school_environment() -> dict[str, str]:
    """Small batches. Nothing is due by the clock while the tests run."""
    jobs = catalogue.load(Settings(suites=(SUITE,))).jobs.values()
    due = [job.name for job in jobs if isinstance(job.trigger, Cron | Every)]
    return {
        "SEXTON_SUITES": SUITE,
        "SEXTON_NODE__LEASE": UNHURRIED,
        "SEXTON_SUITE__TUTORING__CLEANUP__BATCH": str(BATCH),
        "SEXTON_SUITE__TUTORING__CLEANUP__CONVERSATIONS": str(BATCH),
        **{f"SEXTON_JOBS__{name.replace('.', '__').upper()}__SCHEDULE": "ondemand" for name in due},
    }


class SchoolStage(Daemons):
    def __init__(self, place: External, folder: Path, wire: Wire) -> None:
        super().__init__(place, folder)
        self.wire = wire
        self._own = school_environment()

    def environment(self, **settings: str) -> dict[str, str]:
        ours = {**WITHOUT_PAGES, **self._own, "SEXTON_DATABASE__URL": self.wire.url}
        return environment_of(self.place, self.folder, self.mark, **{**ours, **settings})

    async def killed_at(self, moment: Moment, run: int) -> None:
        """One life of a daemon, ended at that moment of the run once one of its batches has been committed."""
        self.wire.hold(moment)
        node = await self.daemon()
        connection = await self.connect()
        try:
            while True:
                talk = await self.wire.held()
                if await connection.fetchval(A_BATCH_COMMITTED, run):
                    break
                talk.release()
            await node.kill()
        finally:
            await connection.close()
        self.wire.hold(None)

    async def finished(self, run: int) -> dict[str, Any]:
        """One more life, in which the run succeeds; its result, and how often it was rescued."""
        node = await self.daemon()
        connection = await self.connect()
        try:
            await row(connection, "SELECT state = 'succeeded' FROM sexton.run WHERE id = $1", run)
            found = await connection.fetchrow("SELECT result, rescues FROM sexton.run WHERE id = $1", run)
            assert found is not None
        finally:
            await connection.close()
        assert await node.stop() == 0
        return {**json.loads(found["result"]), "rescues": found["rescues"]}


@asynccontextmanager
async def staged(folder: Path, students: int) -> AsyncIterator[SchoolStage]:
    """A new database with so many sample students; whatever happens, nothing of it is left afterwards."""
    place = External(folder / "state", external_bindir())
    await place.start()
    target = Path(place.known_as.partition("host=")[2].partition("&")[0]) / SOCKET
    async with Wire(target) as wire:
        stage = SchoolStage(place, folder, wire)
        try:
            await _seed(place.known_as, folder, students)
            yield stage
        finally:
            await stage.clear()


async def _seed(url: str, folder: Path, students: int) -> None:
    connection = await asyncpg.connect(url)
    try:
        suite = migrate.suite_migrations({"tutoring": SUITE})
        await migrate.migrate(connection, [*migrate.engine_migrations(), *suite])
        await seed(connection, scale=students / STUDENTS_AT_SCALE_1, cache=folder, progress=lambda *_: None)
    finally:
        await connection.close()


def many(default: int) -> int:
    """How many students, unless the environment says otherwise."""
    return int(os.environ.get("SEXTON_TEST_STUDENTS") or default)
