"""The samples of this suite's mails have just what its statements give."""

from __future__ import annotations

import asyncpg

from tests.mails.senders import unlike_samples
from tests.workers.productivity.house import House, at
from tests.workers.productivity.test_mails import send_each
from workers.productivity.settings import Settings


async def test_a_sample_has_just_the_fields_that_its_sender_gives(house: House, connection: asyncpg.Connection) -> None:
    await house.user(1, name="Zoë", last_activity_at=at("2026-11-24T18:00"))
    await house.goal(1, "Read", "2026-11-27", progress=40)
    await house.goal(1, None, "2026-11-28")
    await house.goal(1, "Write", "2026-10-12", status="DONE", completed_at=at("2026-10-12T20:00"))
    await house.goal(1, "Run", "2026-11-27", status="DONE", completed_at=at("2026-11-28T20:00"))
    await house.focus(1, "2026-11-24T09:00", "2026-11-24T10:35")
    await send_each(house)
    assert await unlike_samples(connection, "productivity", Settings()) == {}
