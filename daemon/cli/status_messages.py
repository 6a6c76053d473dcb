"""The outbox in `sexton status`: what waits by channel, and what wants attention."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import asyncpg

from daemon import sql

MESSAGES, DISABLED = sql.load(str(Path(__file__).with_name("status.sql")), "messages", "disabled_channels")


async def outbox(connection: asyncpg.Connection) -> dict[str, Any]:
    """{channel: {pending, sending, failed, unknown, oldest_age_s, disabled}} where there is something."""
    found: dict[str, Any] = {}
    for row in await connection.fetch(MESSAGES.text):
        counts = {state: row[state] for state in ("pending", "sending", "failed", "unknown")}
        found[row["channel"]] = {**counts, "oldest_age_s": round(max(row["oldest_age_s"], 0.0), 1), "disabled": None}
    for row in await connection.fetch(DISABLED.text):
        nothing = dict.fromkeys(("pending", "sending", "failed", "unknown"), 0)
        found.setdefault(row["channel"], {**nothing, "oldest_age_s": 0.0})["disabled"] = row["disabled_reason"]
    return found


def what_is_wrong(outbox: dict[str, Any], configured: Collection[str]) -> Iterator[tuple[str, str, str]]:
    """(kind, channel, text) of what a person should know."""
    for channel, of in outbox.items():
        if of["disabled"]:
            yield "disabled", channel, f"{of['disabled']}; put [{channel}] right and restart the daemon"
        if of["pending"] and channel not in configured:
            yield "waiting", channel, f"{of['pending']} messages wait: [{channel}] is not configured"
        if of["failed"]:
            yield "failed", channel, f"{of['failed']} messages could not be sent in the last week"
        if of["unknown"]:
            yield (
                "unknown",
                channel,
                f"{of['unknown']} messages of the last week may have arrived, and are not sent again",
            )
