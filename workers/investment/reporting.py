"""Collecting what reports are made of, keeping them, and mailing them to the administrators."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from daemon import Context, Reader, Transaction, bar_charts, sql, tell_each
from workers.investment.figures import ZERO
from workers.investment.period import Period
from workers.investment.settings import Settings
from workers.investment.summary import Active, Collected, Sum

SUMS, NEW_USERS, ACTIVE_NOW, KEEP = sql.load(__file__, "sums", "new_users", "active_now", "keep")

VERSION = 1
"""Of the payloads' shape. Raise it when a key changes its meaning."""

SERIES = (("roi", "Returns paid"), ("deposit", "Deposits"), ("withdrawal", "Withdrawals"), ("invested", "Invested"))


def zone_of(due_at: datetime) -> str:
    """The name of the job's zone, whose days the report counts."""
    assert isinstance(due_at.tzinfo, ZoneInfo)
    return due_at.tzinfo.key


async def collect(reader: Reader, period: Period, previous: Period, zone: str) -> Collected:
    """Both periods at once, of one snapshot: what moves meanwhile is in both figures or in none."""
    between = (previous.start, period.end, zone)
    return Collected(
        sums=[Sum(**row) for row in await reader.fetch(SUMS, *between)],
        new_users={row["day"]: row["number"] for row in await reader.fetch(NEW_USERS, *between)},
        active=[Active(**row) for row in await reader.fetch(ACTIVE_NOW)],
    )


async def publish(tx: Transaction, ctx: Context, kind: str, key: str, payload: dict[str, Any]) -> None:
    """Keep the report, replacing an earlier one of the period, and mail it once. It is the run's result too."""
    settings: Settings = ctx.settings
    await tx.execute(KEEP, kind, key, VERSION, json.dumps(payload))
    template = {"weekly": "weekly_report", "monthly": "monthly_analytics"}[kind]
    mailed = await tell_each(
        tx, settings.administrators, template, key=f"{template}:{key}", data=letter(payload), kind="transactional"
    )
    tx.result({"period_key": key, "mailed": mailed, "report": payload})


def letter(payload: dict[str, Any]) -> dict[str, Any]:
    """What the template of a report is given."""
    charts, images = pictures(payload)
    return {"report": payload, "charts": charts, "images": images}


def pictures(payload: dict[str, Any]) -> tuple[list[dict[str, str]], dict[str, str]]:
    """One chart of new people, and of each currency's money: what the words beside them say, and the pictures."""
    series: dict[str, Sequence[Decimal | int]] = {"New users by day": [day["new_users"] for day in payload["days"]]}
    for currency in payload["currencies"]:
        for what, title in SERIES:
            values = [Decimal(day[what].get(currency, ZERO)) for day in payload["days"]]
            series[f"{title} by day, {currency}"] = values
    return bar_charts(series)
