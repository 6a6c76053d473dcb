"""The students, conversations and records of a test, and its jobs performed as production would."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from daemon import Job
from daemon.letters import Letters
from daemon.testing import PerformedRun, perform
from workers.tutoring.settings import Settings

LETTERS = Letters({"tutoring": Path("workers/tutoring/templates")})
ADMINISTRATORS = ("ada@example.org", "bob@example.org")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@dataclass
class School:
    url: str
    connection: asyncpg.Connection

    async def perform(
        self,
        job: Job,
        due_at: datetime,
        *,
        settings: Mapping[str, Any] | None = None,
        args: Mapping[str, Any] | None = None,
        resume: int | None = None,
        **options: Any,
    ) -> PerformedRun:
        """One run; two administrators unless `settings` say otherwise."""
        chosen = Settings(**{"administrators": ADMINISTRATORS, **(settings or {})})
        return await perform(
            job, url=self.url, due_at=due_at, settings=chosen, args=args, resume=resume,
            **{"now": due_at, **options},
        )  # fmt: skip

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
        return int(await self.connection.fetchval(f"SELECT count(*) FROM tutoring.{table}"))

    async def insert(self, table: str, **values: Any) -> Any:
        """Returns the row's first column."""
        columns = ", ".join(values)
        places = ", ".join(f"${n}" for n in range(1, len(values) + 1))
        row = await self.connection.fetchrow(
            f"INSERT INTO tutoring.{table} ({columns}) VALUES ({places}) RETURNING *", *values.values()
        )
        assert row is not None
        return row[0]

    async def student(self, id_: int, **more: Any) -> None:
        await self.insert("profile", **{"id": id_, "name": f"student {id_}", "email": f"s{id_}@example.org", **more})

    async def subject(self, id_: int, name: str) -> None:
        await self.insert("subject", id=id_, name=name)

    async def conversation(
        self, student: int, *messages: tuple[datetime, str], subject: int | None = None, role: str = "student"
    ) -> int:
        """Messages are instants with what was said; the last of them ends it."""
        at = [when for when, _ in messages] or [LONG_AGO]
        id_: int = await self.insert(
            "chat_conversation", student_id=student, subject_id=subject, created_at=min(at), last_message_at=max(at)
        )
        for when, content in messages:
            await self.insert("chat_message", conversation_id=id_, role=role, content=content, created_at=when)
        return id_

    async def memory(self, student: int, created_at: datetime, expires_at: datetime | None = None) -> int:
        id_: int = await self.insert(
            "study_chat_memory", student_id=student, content="likes fractions", created_at=created_at,
            expires_at=expires_at,
        )  # fmt: skip
        return id_

    async def messages(self) -> list[asyncpg.Record]:
        return await self.connection.fetch("SELECT * FROM sexton.outbox ORDER BY id")

    async def texts(self) -> list[tuple[str, str, str | None]]:
        """Subject, text and HTML of every message, made by the engine from the suite's templates."""
        made = []
        for row in await self.messages():
            data = json.loads(row["data"])
            data |= {"images": {name: f"cid:{name}" for name in data.get("images", {})}, "unsubscribe_url": None}
            made.append(LETTERS._texts(row["suite"], row["template"], row["channel"], data))
        return made
