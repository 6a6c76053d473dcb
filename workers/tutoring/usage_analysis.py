"""What yesterday's use of the AI providers comes to, what is unusual about it, and what to do: a report and a mail."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from daemon import (
    CatchUp,
    Context,
    Cron,
    Overlap,
    Priority,
    Reader,
    Row,
    bar_charts,
    days,
    job,
    minutes,
    sql,
    tell_each,
)
from workers.tutoring.settings import Settings
from workers.tutoring.usage_advice import advice
from workers.tutoring.usage_figures import JUDGED, Recorded, Use, told, totals, unusual

(
    ROOM_TO_SORT, DAYS_TO_SUM_UP, FORGET, SUM_UP, RECORDED, USES, HISTORY, TREND, OPEN_MONTHS, KEEP,
) = sql.load(
    __file__, "room_to_sort", "days_to_sum_up", "forget", "sum_up", "recorded", "uses", "history", "trend",
    "open_months", "keep",
)  # fmt: skip

HISTORY_LENGTH = 14
LOOK_BACK = 49
"""Days in which there are so many weekend days."""


@job(
    Cron("0 1 * * *", tz="UTC"),
    priority=Priority.MEDIUM,
    timeout=minutes(10),
    catch_up=CatchUp.EACH(31),
    overlap=Overlap.QUEUE,
    business_day_offset=1,
    retention=days(366),
    aliases=("usage-analysis",),
)
async def usage_analysis(ctx: Context) -> None:
    """What yesterday's use of the AI providers comes to, what is unusual about it, and what to do."""
    day = ctx.business_date
    async with ctx.snapshot() as reader:
        earlier: list[date] = await reader.fetchval(DAYS_TO_SUM_UP, day, LOOK_BACK)
    for n, before in enumerate([*earlier, day]):
        if ctx.cursor is None or before.isoformat() > ctx.cursor:
            await sum_up(ctx, before)
        await ctx.progress(n + 1, len(earlier) + 1)
    async with ctx.snapshot() as reader:
        payload = await report(reader, day, ctx.settings)
    async with ctx.completing() as tx:
        await tx.fetchval(OPEN_MONTHS, day)
        await tx.execute(KEEP, day, json.dumps(payload))
        mailed = await tell_each(
            tx, ctx.settings.administrators, "usage_report", key=f"tutoring:usage_report:{day}",
            data=letter(payload), kind="transactional",
        )  # fmt: skip
        tx.result({"mailed": mailed, "report": payload})


async def sum_up(ctx: Context, day: date) -> None:
    async with ctx.transaction(cursor=day.isoformat()) as tx:
        await tx.execute(ROOM_TO_SORT)
        await tx.execute(FORGET, day)
        await tx.execute(SUM_UP, day, ctx.now())


async def report(reader: Reader, day: date, settings: Settings) -> dict[str, Any]:
    """The payload of a day that was summed up; all of one snapshot."""
    row = await reader.fetchrow(RECORDED, day)
    assert row is not None
    recorded = Recorded(**row)
    uses = [Use(**row) for row in await reader.fetch(USES, day)]
    history = by_figure(await reader.fetch(HISTORY, day, LOOK_BACK, HISTORY_LENGTH))
    anomalies = unusual(uses, history)
    total = totals(uses)
    return {
        "day": day.isoformat(),
        "total": total,
        "providers": [told(use, total["requests"]) for use in uses],
        "anomalies": [anomaly.told() for anomaly in anomalies],
        "recommendations": [asdict(found) for found in advice(uses, anomalies, recorded, settings.usage)],
        "recorded": asdict(recorded),
        "compared_with_days": {use.provider: len(history.get(use.provider_id, {}).get("requests", ())) for use in uses},
        "trend": [
            {"day": row["day"].isoformat(), "requests": row["requests"], "errors": row["errors"]}
            for row in await reader.fetch(TREND, day, HISTORY_LENGTH)
        ],
    }


def by_figure(rows: Sequence[Row]) -> dict[int, dict[str, list[float]]]:
    """Provider → figure → its values on earlier days; what was not known on a day is left out."""
    found: dict[int, dict[str, list[float]]] = {}
    for row in rows:
        of_provider = found.setdefault(row["provider_id"], {figure: [] for figure in JUDGED})
        for figure in JUDGED:
            if row[figure] is not None:
                of_provider[figure].append(float(row[figure]))
    return found


def letter(payload: dict[str, Any]) -> dict[str, Any]:
    """What the template is given."""
    charts, images = pictures(payload)
    return {"report": payload, "charts": charts, "images": images}


def pictures(payload: dict[str, Any]) -> tuple[list[dict[str, str]], dict[str, str]]:
    trend = payload["trend"]
    return bar_charts(
        {
            f"Requests, {HISTORY_LENGTH} days": [day["requests"] or 0 for day in trend],
            f"Errors, {HISTORY_LENGTH} days": [day["errors"] or 0 for day in trend],
        }
    )
