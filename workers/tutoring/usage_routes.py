"""The daily analyses of AI usage over HTTP."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from daemon import NotFound, Question, route, sql

REPORT, REPORTS, BY_PROVIDER = sql.load(__file__, "report", "reports", "by_provider")

MOST_DAYS = 366


@route("/usage-reports/{day}")
async def usage_report(question: Question, day: date) -> object:
    """The report of a day, as it was mailed."""
    async with question.snapshot() as tables:
        row = await tables.fetchrow(REPORT, day)
    if row is None:
        raise NotFound(f"there is no usage report of {day}")
    return {"made_at": row["made_at"], **json.loads(row["payload"])}


@route("/usage-analysis")
async def usage_analysis_stats(question: Question, days: int = 30) -> object:
    """The newest reports in short, what was unusual in them, and what each provider did on all those days."""
    if not 0 < days <= MOST_DAYS:
        raise ValueError(f"days = {days}: must be from 1 to {MOST_DAYS}")
    async with question.snapshot() as tables:
        reports = await tables.fetch(REPORTS, days)
        if not reports:
            return {"reports": [], "anomalies": [], "providers": []}
        first, last = reports[-1]["day"], reports[0]["day"]
        providers = [dict(row) for row in await tables.fetch(BY_PROVIDER, first, last)]
    anomalies: list[dict[str, Any]] = [
        {"day": row["day"], **found} for row in reports for found in json.loads(row["anomalies"])
    ]
    return {
        "reports": [
            {"day": row["day"], "made_at": row["made_at"], **json.loads(row["total"])} for row in reports
        ],
        "anomalies": anomalies,
        "providers": providers,
    }  # fmt: skip
