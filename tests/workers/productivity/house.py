"""The people, goals and sessions of a test, and the suite's jobs performed as production would."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from daemon.channels.channel import Message
from daemon.letters import Letters
from daemon.outbox import OutboxRow, Recipient
from tests.workers.suite_under_test import SuiteUnderTest
from workers.productivity.settings import Settings

UNSUBSCRIBE = "https://mail.example.org/u/token"
LETTERS = Letters({"productivity": Path("workers/productivity/templates")}, lambda *_: UNSUBSCRIBE)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
ORDER = "ORDER BY xmin::text::bigint, recipient::int"  # tick by tick, and within one by person
PAGES = "https://app.example.org"
PAGES_AT = {"frontend_url": PAGES}


def at(text: str) -> datetime:
    """An instant in UTC: `2026-11-26T09:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass
class House(SuiteUnderTest):
    SETTINGS = Settings
    USUAL = PAGES_AT

    async def user(self, id_: int, tz: str = "UTC", **more: Any) -> None:
        values = {"name": f"user {id_}", "email": f"u{id_}@example.org", "created_at": LONG_AGO, "tz_set_at": LONG_AGO}
        await self.insert("users", **{"id": id_, "tz": tz, **values, **more})

    async def pref(self, user: int, **values: Any) -> None:
        await self.insert("user_pref", user_id=user, **values)

    async def goal(self, user: int, title: str | None, due_on: str, **more: Any) -> int:
        id_: int = await self.insert("goal", user_id=user, title=title, due_on=date.fromisoformat(due_on), **more)
        return id_

    async def focus(self, user: int, started: str, ended: str | None = None, **more: Any) -> int:
        id_: int = await self.insert(
            "timer_session", user_id=user, started_at=at(started), ended_at=ended and at(ended), **more
        )
        return id_

    async def mailed(self) -> list[tuple[int, str]]:
        """Everybody who was written to, with the template."""
        return await self.rows("SELECT recipient::int, template FROM sexton.outbox " + ORDER)  # type: ignore[return-value]

    async def data(self) -> list[dict[str, Any]]:
        return [json.loads(text) for (text,) in await self.rows("SELECT data FROM sexton.outbox " + ORDER)]

    async def letters(self) -> list[Message]:
        """Every message as the engine makes it of the suite's templates."""
        rows = await self.connection.fetch("SELECT * FROM sexton.outbox " + ORDER)
        return [
            LETTERS.rendered(
                OutboxRow(
                    id=row["id"], token=1, suite=row["suite"], recipient=row["recipient"], address=None,
                    channel=row["channel"], template=row["template"], data=json.loads(row["data"]), kind=row["kind"],
                    dedupe_key=row["dedupe_key"],
                ),
                Recipient(id=row["recipient"], email="ada@example.org"),
            )
            for row in rows
        ]  # fmt: skip
