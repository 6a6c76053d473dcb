"""The students, conversations and records of a test, and its jobs performed as production would."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.workers.suite_under_test import WITH_ADMINISTRATORS, SuiteUnderTest
from workers.tutoring.settings import Settings

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@dataclass
class School(SuiteUnderTest):
    SETTINGS = Settings
    USUAL = WITH_ADMINISTRATORS

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
