"""Measure the database, this machine and the backlog; tell the administrators what is bad, and when it is over."""

from __future__ import annotations

import json
import logging
import os
import statistics
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from daemon import CatchUp, Context, Cron, Priority, Reader, Row, Transaction, days, host, job, seconds, sql, tell_each
from workers.investment.settings import Settings
from workers.investment.thresholds import Finding, News, Severity, Trouble, judge, news

PING, BACKLOG, TROUBLES, KEEP_CHECK, KEEP_TROUBLE, FORGET_TROUBLE = sql.load(
    __file__, "ping", "backlog", "troubles", "keep_check", "keep_trouble", "forget_trouble"
)

PINGS = 3
READING_TIMEOUT = seconds(10)
LEVELS = {Severity.WARNING: logging.WARNING, Severity.CRITICAL: logging.ERROR}


@job(
    Cron("*/15 * * * *", tz="Asia/Kolkata"),
    priority=Priority.HIGH,
    timeout=seconds(30),
    catch_up=CatchUp.NONE,
    retention=days(30),
    aliases=("system-health", "system-health-monitoring"),
)
async def system_health(ctx: Context) -> None:
    """Measure the database, this machine and the backlog; tell the administrators what is bad."""
    settings: Settings = ctx.settings
    health = settings.health
    machine = await machine_readings(ctx, [str(disk) for disk in health.disks])
    async with ctx.snapshot() as reader:
        latency = await latency_ms(reader)
        backlog = await reader.fetchrow(
            BACKLOG,
            ctx.due_at - timedelta(minutes=health.active_within_minutes),
            ctx.due_at - timedelta(minutes=health.pending_after_minutes),
        )
    assert backlog is not None
    pending = float(backlog["pending_old"])
    findings = judge({"database_ms": latency, **machine, "pending_transactions": pending}, health)
    async with ctx.completing() as tx:
        await tx.execute(KEEP_CHECK, ctx.due_at, worst(findings).word, json.dumps(checks(findings, backlog)))
        told = await tell_news(tx, settings.administrators, findings, ctx.due_at)
        tx.result({"severity": worst(findings).word, "checks": checks(findings, backlog), "told": told})
    for finding in findings:
        if finding.severity is not Severity.OK:
            ctx.log.log(LEVELS[finding.severity], "%s", finding.sentence)


async def machine_readings(ctx: Context, disks: Sequence[str]) -> dict[str, float | None]:
    """From a worker process. That it does not answer is itself a finding, and no reason to skip the others."""
    try:
        taken: dict[str, float | None] = await ctx.compute(host.readings, os.getpid(), disks, timeout=READING_TIMEOUT)
    except Exception as error:  # noqa: BLE001 - whatever it was, it is told, and the rest goes on
        ctx.log.warning("this machine could not be measured: %s", error)
        return host.nothing(disks)
    return taken


async def latency_ms(reader: Reader) -> float:
    """The median round trip of a query that does nothing, in ms. One slow answer alone is not a slow database."""
    trips = []
    for _ in range(PINGS):
        began = time.perf_counter()
        await reader.fetchval(PING)
        trips.append(1000 * (time.perf_counter() - began))
    return statistics.median(trips)


def worst(findings: Sequence[Finding]) -> Severity:
    return max((finding.severity for finding in findings), default=Severity.OK)


def checks(findings: Sequence[Finding], backlog: Row) -> dict[str, dict[str, Any]]:
    """As `health_check.checks` keeps them: name → value and severity. The last two are counts without a limit."""
    judged = {f.check: {"value": f.value, "severity": f.severity.word} for f in findings}
    counted = {name: {"value": backlog[name], "severity": Severity.OK.word} for name in ("active_users", "pending")}
    return judged | counted


async def tell_news(tx: Transaction, administrators: Sequence[str], findings: Sequence[Finding], at: datetime) -> int:
    """Keep the troubles that are there now and tell what changed; how many messages were new."""
    known = {row["name"]: Trouble(Severity[row["severity"].upper()], row["since"]) for row in await tx.fetch(TROUBLES)}
    told = 0
    for item in news(known, findings, at):
        if item.recovered:
            await tx.execute(FORGET_TROUBLE, item.finding.check)
        else:
            await tx.execute(KEEP_TROUBLE, item.finding.check, item.finding.severity.word, item.since)
        template = "health_recovered" if item.recovered else "health_alert"
        told += await tell_each(tx, administrators, template, key=item.key, data=facts(item, at), kind="alert")
    return told


def facts(item: News, at: datetime) -> dict[str, Any]:
    """What the two templates are given."""
    zone = at.tzinfo
    return {
        "check": item.finding.check,
        "severity": item.finding.severity.word,
        "sentence": item.finding.sentence,
        "since": f"{item.since.astimezone(zone):%Y-%m-%d %H:%M %Z}",
        "at": f"{at:%Y-%m-%d %H:%M %Z}",
    }
