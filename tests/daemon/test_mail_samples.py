"""The engine's own mails: their samples have just what is really told of troubles."""

from __future__ import annotations

import asyncpg

from daemon.events import ChannelBack, ChannelDown, ItemDied, RunEnded
from tests.daemon.test_alerting import ADA, alerting, heard, succeeds
from tests.mails.senders import unlike_samples


async def test_a_sample_has_just_the_fields_that_its_sender_gives(url: str, connection: asyncpg.Connection) -> None:
    async with alerting(url, ADA) as alerts:
        await heard(
            alerts, RunEnded(7, "tea.brew", "failed", 1.0, "ValueError: cold"), ItemDied("tea.leaves", "k", "soggy"),
            ChannelDown("sms", "503", 30.0),
        )  # fmt: skip
        await succeeds(connection)
        await heard(alerts, ChannelBack("sms", 47.0))
    assert await unlike_samples(connection, "", None) == {}
