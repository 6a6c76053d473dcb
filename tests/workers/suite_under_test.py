"""What the tests of every suite do with it: rows put in and looked at, and its jobs performed as production would."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import asyncpg
from pydantic import BaseModel

from daemon import Job
from daemon.letters import Letters
from daemon.testing import PerformedRun, perform

ADMINISTRATORS = ("ada@example.org", "bob@example.org")
WITH_ADMINISTRATORS = {"administrators": ADMINISTRATORS}


def letters(suite: str) -> Letters:
    """What the engine makes of the suite's templates."""
    return Letters({suite: Path("workers") / suite / "templates"})


def letter(suite: str, template: str, data: Mapping[str, Any], channel: str = "email") -> tuple[str, str, str | None]:
    """Subject, text and HTML."""
    images = {name: f"cid:{name}" for name in data.get("images", {})}
    return letters(suite)._texts(suite, template, channel, {"unsubscribe_url": None, **data, "images": images})


@dataclass
class SuiteUnderTest:
    """One suite on the database at `url`. `USUAL`: its settings, where a test says nothing else."""

    SETTINGS: ClassVar[type[BaseModel]]
    USUAL: ClassVar[Mapping[str, Any]] = {}

    url: str
    connection: asyncpg.Connection
    _performed: Counter[tuple[str, datetime]] = field(default_factory=Counter, kw_only=True)

    @property
    def suite(self) -> str:
        return self.SETTINGS.__module__.split(".")[1]

    async def perform(
        self, job: Job, due_at: datetime, *, settings: Mapping[str, Any] | None = None, **options: Any
    ) -> PerformedRun:
        """One run, whose clock says `due_at`. A job has one run an instant: more are due microseconds later."""
        chosen = self.SETTINGS(**{**self.USUAL, **(settings or {})})
        before = self._performed[job.name, due_at]
        self._performed[job.name, due_at] += 1
        due = due_at + timedelta(microseconds=before)
        return await perform(job, url=self.url, due_at=due, settings=chosen, **{"now": due_at, **options})

    async def succeed(self, job: Job, due_at: datetime, **options: Any) -> Any:
        """The result of a run that must succeed."""
        run = await self.perform(job, due_at, **options)
        assert (run.ending, run.error) == ("succeeded", None)
        return run.result

    async def rows(self, query: str, *args: object) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await self.connection.fetch(query, *args)]

    async def value(self, query: str, *args: object) -> Any:
        return await self.connection.fetchval(query, *args)

    async def count(self, table: str) -> int:
        return int(await self.value(f"SELECT count(*) FROM {self.suite}.{table}"))

    async def insert(self, table: str, **values: Any) -> Any:
        """Returns the row's first column."""
        columns, marks = ", ".join(values), ", ".join(f"${n}" for n in range(1, len(values) + 1))
        return await self.value(
            f"INSERT INTO {self.suite}.{table} ({columns}) VALUES ({marks}) RETURNING *", *values.values()
        )

    async def messages(self) -> list[asyncpg.Record]:
        return await self.connection.fetch("SELECT * FROM sexton.outbox WHERE suite = $1 ORDER BY id", self.suite)

    async def texts(self) -> list[tuple[str, str, str | None]]:
        """Subject, text and HTML of every message, as the engine makes them of the suite's templates."""
        return [self.made(row["template"], json.loads(row["data"]), row["channel"]) for row in await self.messages()]

    def made(self, template: str, data: Mapping[str, Any], channel: str = "email") -> tuple[str, str, str | None]:
        return letter(self.suite, template, data, channel)
