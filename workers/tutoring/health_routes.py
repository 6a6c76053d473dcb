"""The health of the whole over HTTP."""

from __future__ import annotations

import json

from daemon import NotFound, Question, route, sql

LAST, HISTORY = sql.load(__file__, "last", "history")
MOST = 1000


@route("/system-health")
async def system_health(question: Question) -> object:
    """The last check: healthy, degraded, unhealthy or unconfigured, each measurement, and what to do."""
    async with question.snapshot() as tables:
        row = await tables.fetchrow(LAST)
    if row is None:
        raise NotFound("tutoring.health_check has not run yet")
    return {
        "overall": row["overall"],
        "checked_at": row["checked_at"],
        "checks": json.loads(row["checks"]),
        "recommendations": json.loads(row["recommendations"]),
    }


@route("/system-health/history")
async def system_health_history(question: Question, limit: int = 100) -> object:
    """The last checks in short, the newest first."""
    if not 0 < limit <= MOST:
        raise ValueError(f"limit = {limit}: must be from 1 to {MOST}")
    async with question.snapshot() as tables:
        return [dict(row) for row in await tables.fetch(HISTORY, limit)]
