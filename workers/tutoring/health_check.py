"""Ask AI providers for their models, measure the database and this machine; tell what is wrong, and when it is over."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from daemon import (
    CatchUp,
    Context,
    Cron,
    Priority,
    Reader,
    Row,
    Transaction,
    days,
    host,
    job,
    minutes,
    seconds,
    sql,
    tell_each,
)
from workers.tutoring import list_models
from workers.tutoring.health_rules import (
    Finding,
    HealthSettings,
    as_checks,
    machine_findings,
    overall,
    recommendations,
    slow_findings,
)
from workers.tutoring.list_models import Checked
from workers.tutoring.settings import Settings

(
    PING, PROVIDERS, LONGEST_RUNS, KEEP_CHECKS, GO_ON_WITH_INCIDENTS, END_INCIDENTS, INCIDENTS_TO_TELL, LAST_CHECKS,
    KEEP_SYSTEM_CHECK,
) = sql.load(
    __file__, "ping", "providers", "longest_runs", "keep_checks", "go_on_with_incidents", "end_incidents",
    "incidents_to_tell", "last_checks", "keep_system_check",
)  # fmt: skip

READING_TIMEOUT = seconds(10)
LATELY = minutes(15)


@dataclass(frozen=True, slots=True)
class Health:
    """What one check found."""

    checked: Mapping[str, Checked]
    ids: Mapping[str, int]
    findings: Sequence[Finding]
    recommendations: Sequence[str]

    @property
    def overall(self) -> str:
        return overall(self.checked, self.findings)

    @property
    def bad(self) -> list[str]:
        return [name for name, checked in self.checked.items() if not checked.ok]


@job(
    Cron("*/5 * * * *", tz="UTC"),
    priority=Priority.CRITICAL,
    timeout=seconds(45),
    expected=seconds(30),
    catch_up=CatchUp.NONE,
    retention=days(7),
    aliases=("health-check",),
)
async def health_check(ctx: Context) -> None:
    """Check the providers, the database and this machine; open, tell and close incidents."""
    settings: Settings = ctx.settings
    found = await look(ctx, settings)
    async with ctx.completing() as tx:
        await keep(ctx, tx, found, settings)
        checks = as_checks(found.checked, found.findings)
        await tell_of_machine(ctx, tx, found.findings, checks)
        said = json.dumps(list(found.recommendations))
        await tx.execute(KEEP_SYSTEM_CHECK, ctx.due_at, found.overall, json.dumps(checks), said)
        tx.result({"overall": found.overall, "checks": checks, "recommendations": list(found.recommendations)})


async def look(ctx: Context, settings: Settings) -> Health:
    """All at once: a provider that hangs costs its own time-out and nobody else's."""
    async with ctx.snapshot() as reader:
        database_ms = await latency_ms(reader)
        rows = await reader.fetch(PROVIDERS)
        now = ctx.now()
        runs = {row["job"]: row["took"] for row in await reader.fetch(LONGEST_RUNS, now - LATELY, now)}
    with_key = [row for row in rows if row["name"] in settings.keys]
    checks = asyncio.gather(*(check_one(ctx, row, settings) for row in with_key))
    machine, verdicts = await asyncio.gather(machine_readings(ctx, settings.health), checks)
    checked = dict(zip((row["name"] for row in with_key), verdicts, strict=True))
    readings = {"database_ms": database_ms, **machine}
    findings = [*machine_findings(readings, settings.health), *slow_findings(runs, settings.health)]
    without_key = [row["name"] for row in rows if row["name"] not in settings.keys]
    diverted = [row["name"] for row in rows if row["diverted"]]
    advice = recommendations(checked, findings, without_key, diverted)
    return Health(checked, {row["name"]: row["id"] for row in rows}, findings, advice)


async def check_one(ctx: Context, row: Row, settings: Settings) -> Checked:
    key = settings.keys[row["name"]].get_secret_value()
    timeout = seconds(settings.health.provider_timeout_s)
    return await list_models.check(ctx.http, row["kind"], row["base_url"], key, timeout)


async def latency_ms(reader: Reader) -> float:
    """The better of two round trips: the first may open a connection."""
    trips = []
    for _ in range(2):
        began = time.perf_counter()
        await reader.fetchval(PING)
        trips.append(1000 * (time.perf_counter() - began))
    return min(trips)


async def machine_readings(ctx: Context, health: HealthSettings) -> Mapping[str, float | None]:
    """From a worker process. That it does not answer is itself a finding, and no reason to skip the others."""
    disks = [str(disk) for disk in health.disks]
    try:
        taken: Mapping[str, float | None] = await ctx.compute(
            host.readings, os.getpid(), disks, timeout=READING_TIMEOUT
        )
    except Exception as error:  # noqa: BLE001 - whatever it was, it is told, and the rest goes on
        ctx.log.warning("this machine could not be measured: %s", error)
        return host.nothing(disks)
    return taken


async def keep(ctx: Context, tx: Transaction, found: Health, settings: Settings) -> None:
    """Checks and incidents, and who is told of them: once when it is the third in a row, once when it is over."""
    checks, ids = found.checked, found.ids
    await tx.execute(
        KEEP_CHECKS, [ids[name] for name in checks], [c.verdict for c in checks.values()],
        [c.http_status for c in checks.values()], [c.latency_ms for c in checks.values()],
        [c.error for c in checks.values()], ctx.due_at,
    )  # fmt: skip
    bad = [ids[name] for name in found.bad]
    ended = await tx.fetch(END_INCIDENTS, bad, ctx.due_at)
    await tx.execute(
        GO_ON_WITH_INCIDENTS, bad, [checks[name].verdict for name in found.bad],
        [checks[name].error for name in found.bad], ctx.due_at,
    )  # fmt: skip
    for row in await tx.fetch(INCIDENTS_TO_TELL, settings.health.consecutive_failures, ctx.due_at):
        await tell_of_incident(ctx, tx, row, f"{row['name']} is {row['verdict']}: {row['error']}", "began")
    for row in ended:
        await tell_of_incident(ctx, tx, row, f"{row['name']} is well again", "ended")


async def tell_of_incident(ctx: Context, tx: Transaction, row: Row, sentence: str, what: str) -> None:
    data = incident(sentence, row, ctx.due_at)
    ctx.log.warning("%s (since %s, %s checks)", sentence, data["since"], row["failures"])
    key = f"tutoring:incident:{row['provider_id']}:{row['started_at'].isoformat()}:{what}"
    await tell_each(tx, ctx.settings.administrators, "health_news", key=key, data=data, kind="alert")


def incident(sentence: str, row: Row, at: datetime) -> dict[str, Any]:
    """What the template is given of a provider's incident."""
    since = f"{row['started_at']:%Y-%m-%d %H:%M} UTC"
    return {"sentence": sentence, "since": since, "failures": row["failures"], "at": f"{at:%Y-%m-%d %H:%M} UTC"}


async def tell_of_machine(
    ctx: Context, tx: Transaction, findings: Sequence[Finding], checks: Mapping[str, Mapping[str, Any]]
) -> None:
    """Once when a measurement becomes critical, once when it is no longer."""
    last = json.loads(await tx.fetchval(LAST_CHECKS, ctx.due_at) or "{}")
    advice = {finding.check: finding.advice for finding in findings}
    for check in sorted({*advice, *(name for name in last if not name.startswith("provider:"))}):
        now_critical = checks.get(check, {}).get("severity") == "critical"
        if now_critical == (last.get(check, {}).get("severity") == "critical"):
            continue
        sentence = advice.get(check) if now_critical else f"{check} is no longer critical"
        ctx.log.warning("%s", sentence)
        data = {"sentence": sentence, "since": None, "failures": None, "at": f"{ctx.due_at:%Y-%m-%d %H:%M} UTC"}
        key = f"tutoring:health:{check}:{now_critical}:{ctx.due_at.isoformat()}"
        await tell_each(tx, ctx.settings.administrators, "health_news", key=key, data=data, kind="alert")
