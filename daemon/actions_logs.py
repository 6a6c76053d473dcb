"""What a person may do to log lines of runs: let old ones go before their runs do. Audited."""

from __future__ import annotations

from datetime import timedelta

import asyncpg

from daemon import sql
from daemon.actions_deed import Actor, Invalid, deed

(CLEAN_LOGS,) = sql.load(__file__, "clean_logs")
AT_ONCE, MOST = 10_000, 1_000_000


async def clean_logs(connection: asyncpg.Connection, actor: Actor, older_than: timedelta) -> int:
    """Delete log lines of runs that ended longer ago than this; how many it was, at most a million.

    The runs stay, with state, result and error, for as long as their job's retention says. Raises `Invalid` for less
    than a day.
    """
    if older_than < timedelta(days=1):
        raise Invalid("log lines of the last day are kept: they may still be needed")
    deleted = 0
    async with deed(connection, actor, "clean logs") as doing:
        while deleted < MOST:
            status = await connection.execute(CLEAN_LOGS.text, older_than, AT_ONCE)
            batch = int(status.rpartition(" ")[2])
            deleted += batch
            if batch < AT_ONCE:
                break
        if deleted:
            doing.did("run logs", {}, {"deleted": deleted, "older_than": older_than}, "logs")
    return deleted
