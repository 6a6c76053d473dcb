"""The people and sessions of the analytics' tests, many at a time, and the jobs performed as production would."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import asyncpg

from daemon import Job
from daemon.testing import perform
from workers.productivity.settings import Settings

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def at(text: str) -> datetime:
    """An instant in UTC: `2026-11-26T09:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Session:
    user: int
    started: datetime
    ended: datetime | None
    kind: str = "FOCUS"
    feature: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """`left`: zones they lived in before, each with the instant at which they left it, in order."""

    id: int
    zone: str = "UTC"
    created: datetime = LONG_AGO
    left: tuple[tuple[datetime, str], ...] = field(default=())


@dataclass
class Platform:
    url: str
    connection: asyncpg.Connection
    runs: int = 0

    async def run(self, job: Job, due_at: datetime, *, settings: Mapping[str, Any] | None = None, **more: Any) -> Any:
        """The result of a run that must succeed. Each is due a microsecond later: no two may be due at once."""
        chosen, self.runs = Settings(**(settings or {})), self.runs + 1
        due = due_at + timedelta(microseconds=self.runs)
        run = await perform(job, url=self.url, due_at=due, settings=chosen, **{"now": due_at, **more})
        assert (run.ending, run.error) == ("succeeded", None)
        return run.result

    async def cleared(self) -> None:
        """Nobody, and no figures."""
        await self.connection.execute(
            "TRUNCATE productivity.users, productivity.activity_day, productivity.metric_daily, "
            "productivity.retention, productivity.signup_day, productivity.anomaly, productivity.behavior, "
            "productivity.watermark CASCADE"
        )

    async def people(self, *people: Person) -> None:
        await self.connection.executemany(
            "INSERT INTO productivity.users (id, email, tz, created_at, tz_set_at) VALUES ($1, $2, $3, $4, $4)",
            [(p.id, f"u{p.id}@example.org", p.left[0][1] if p.left else p.zone, p.created) for p in people],
        )
        for p in people:
            after = [*(zone for _, zone in p.left[1:]), p.zone]
            for (when, _), zone in zip(p.left, after, strict=False):
                await self.connection.execute(
                    "UPDATE productivity.users SET tz = $2, tz_set_at = $3 WHERE id = $1", p.id, zone, when
                )

    async def sessions(self, sessions: Iterable[Session]) -> None:
        await self.connection.executemany(
            "INSERT INTO productivity.timer_session (user_id, started_at, ended_at, kind, feature, changed_at) "
            "VALUES ($1, $2, $3, $4, $5, $2)",
            [(s.user, s.started, s.ended, s.kind, s.feature) for s in sessions],
        )

    async def focused(self, user: int, *spans: tuple[str, str | None], **more: Any) -> None:
        await self.sessions(Session(user, at(started), ended and at(ended), **more) for started, ended in spans)

    async def goal(self, user: int, due_on: date, created: datetime, done: datetime | None, status: str = "") -> None:
        await self.connection.execute(
            "INSERT INTO productivity.goal (user_id, title, due_on, created_at, completed_at, status) "
            "VALUES ($1, 'a goal', $2, $3, $4, $5)",
            user, due_on, created, done, status or ("DONE" if done else "OPEN"),
        )  # fmt: skip

    async def rows(self, query: str, *args: object) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await self.connection.fetch(query, *args)]

    async def activity(self) -> dict[tuple[int, date], tuple[int, int, dict[str, int]]]:
        """User and day → sessions, seconds of focus, sessions by feature."""
        rows = await self.rows("SELECT user_id, day, sessions, focus_seconds, features FROM productivity.activity_day")
        return {(user, day): (n, seconds, json.loads(features)) for user, day, n, seconds, features in rows}

    async def figures(self, day: date) -> dict[str, Decimal | None]:
        """What is known of a day as a whole."""
        return dict(
            await self.rows("SELECT metric, value FROM productivity.metric_daily WHERE day = $1 AND dims = '{}'", day)
        )
