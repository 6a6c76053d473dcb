"""Six weeks of a house that bills flights and pays returns: what went well, what failed, what waits for a person."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from operator import itemgetter
from pathlib import Path
from typing import Any

import asyncpg

from daemon import catalogue, in_force, run_log, schedule, suite_reports
from daemon.events import RunStarted
from daemon.job import Context, Job
from daemon.schedule import Cron, Every
from daemon.settings import DatabaseSettings, Settings
from tests.daemon.admin.browser.live_house import live_house
from tests.daemon.admin.house import House
from tests.daemon.mail import SmtpChannel

SUITES = ("workers.flights", "workers.investment")
WEEKS = timedelta(weeks=6)
REPORTING = ("workers.jewellery", "workers.productivity", "workers.tutoring")
"""Suites of which only the jobs that make reports are here."""
FURNITURE = [Path(__file__).with_name(name) for name in ("furniture.sql", "report_furniture.sql")]
PAYOUT, INVOICE = "investment.daily_roi_distribution", "flights.consolidated_invoice"
HEALTH, REPORT, AUDIT = "investment.system_health", "investment.weekly_report", "investment.ledger_audit"
LIMITS = "tutoring.rate_limit_monitor"
SECONDS = {PAYOUT: 212.0, INVOICE: 41.0, AUDIT: 95.0, HEALTH: 0.4, REPORT: 18.0}
COLUMNS = (
    "job", "due_at", "logical_date", "trigger", "state", "reason", "not_before", "strict", "attempt", "failures",
    "started_at", "finished_at", "error", "result",
)  # fmt: skip
TRACEBACK = """Traceback (most recent call last):
  File "/opt/sexton/lib/python3.11/site-packages/workers/investment/weekly_report.py", line 38, in weekly_report
    await ctx.http.post(settings.report_url, json=summary)
  File "/opt/sexton/lib/python3.11/site-packages/httpx/_client.py", line 1859, in post
    return await self.request(
httpx.ConnectTimeout: reports.example.com did not answer within 10 s"""
MORE = (
    "jewellery.gold_price_update", "jewellery.metal_price_history", "jewellery.abandoned_cart_reminder",
    "jewellery.low_stock_alert", "jewellery.order_status_sync", "jewellery.certificate_expiry_check",
    "tutoring.session_reminder", "tutoring.payment_settlement", "tutoring.tutor_availability_refresh",
    "tutoring.review_request", "tutoring.recurring_session_generation_for_the_coming_term", "tutoring.credit_expiry",
    "productivity.deadline_reminders", "productivity.daily_digest", "productivity.workspace_usage_aggregation",
    "productivity.calendar_sync", "productivity.stale_task_archive", "productivity.integration_token_refresh",
)  # fmt: skip


async def gently(ctx: Context) -> dict[str, Any]:
    """Goes on for as long as somebody looks, from three eighths of the total in its arguments."""
    total: int = ctx.args["total"]
    for done in range(total * 3 // 8, total):
        ctx.log.info("range paid through %d of %d", done, total)
        await ctx.progress(done, total)
        await asyncio.sleep(1)
    return {"paid": total}


def jobs(*, many: bool = False) -> dict[str, Job]:
    """The jobs of the suites as they are configured, with bodies that do nothing but take their time."""
    real = catalogue.load(Settings(suites=(*SUITES, *REPORTING), database=DatabaseSettings(url="postgresql:///")))
    reports = suite_reports.read(real.packages, [])
    makers = {f"{suite}.{report.made_by}" for suite, of in reports.items() for report in of.values()}
    found = {
        name: replace(job, body=_as(job.body)) for name, job in real.jobs.items()
        if f"workers.{job.suite}" in SUITES or name in makers
    }  # fmt: skip
    if many:
        plain = found[HEALTH]
        for n, name in enumerate(MORE * 2):
            called = name if n < len(MORE) else f"{name}_{n}"
            trigger = (
                Cron(f"{n} */{n % 5 + 1} * * *"),
                Every(600 + 60 * n),
                Cron(f"{n} 3 * * mon-fri", "Europe/Zurich"),
            )
            found[called] = replace(plain, name=called, aliases=(), trigger=trigger[n % 3])
    return found


def _as(body: Any) -> Any:
    async def stand_in(ctx: Context) -> dict[str, Any] | None:
        return await gently(ctx) if ctx.args else None

    stand_in.__doc__ = body.__doc__
    return stand_in


@asynccontextmanager
async def believable_house(url: str, *, many: bool = False, **parts: Any) -> AsyncIterator[House]:
    """A node with its admin, six weeks after it was set up, which works."""
    real = catalogue.load(Settings(suites=(*SUITES, *REPORTING), database=DatabaseSettings(url=url)))
    having = jobs(many=many)
    logging.getLogger(run_log.LOGGER).setLevel(logging.INFO)
    async with live_house(
        url, *having.values(), queues=tuple(real.queues.values()), packages=dict(real.packages),
        suite_settings=dict(real.settings), channels={"email": SmtpChannel(9)}, home="billing-1:/var/lib/sexton",
        **parts,
    ) as opened:  # fmt: skip
        await furnish(opened.connection, having)
        await set_to_work(opened, having)
        yield opened


async def furnish(connection: asyncpg.Connection, having: Mapping[str, Job]) -> None:
    """The ledger, queue, outbox and audit as they could be: random, and the same each time."""
    now: datetime = await connection.fetchval("SELECT sexton.clock()")
    rows = sorted((row for job in having.values() for row in history(job, now)), key=itemgetter(1))
    await connection.copy_records_to_table("run", schema_name="sexton", columns=COLUMNS, records=rows)
    for furniture in FURNITURE:
        await connection.execute(furniture.read_text())
    await connection.execute(
        "UPDATE sexton.attempt SET traceback = $1 WHERE traceback IS NULL AND outcome = 'failed'", TRACEBACK
    )


async def set_to_work(opened: House, having: Mapping[str, Job]) -> None:
    """Three runs that go on, and deeds of three persons for the audit."""
    api = opened.operator
    for name, body in (
        (f"{REPORT}/pause", {"reason": "the report server moves on Friday"}),
        (f"{HEALTH}", {"timeout_s": 45, "reason": "slow disks since Monday"}),
        ("flights.invoice_overdue/schedule", {"schedule": "30 6 * * mon-fri", "timezone": "Europe/Zurich"}),
        (f"{AUDIT}/run", {"args": {"total": 640}}),
        ("investment.data_cleanup/run", {"args": {"total": 90_000}}),
        (f"{PAYOUT}/run", {"args": {"total": 4200}, "again": True, "reason": "rates of two plans were corrected"}),
    ):
        method = "PUT" if name.endswith("schedule") else "PATCH" if "/" not in name else "POST"
        answer = await api.request(method, f"/api/v1/jobs/{name}", json=body)
        answer.raise_for_status()
    for job in (AUDIT, "investment.data_cleanup", PAYOUT):
        await opened.node.event(RunStarted, lambda event, job=job: event.job == job)


def history(job: Job, now: datetime) -> Iterator[tuple[Any, ...]]:
    """The runs of a job, oldest first; `run.id` follows that order."""
    rng = random.Random(job.name)
    for at in due(job, now):
        yield ended(job, at, now, rng)


def due(job: Job, now: datetime) -> Iterable[datetime]:
    if isinstance(job.trigger, Cron | Every):
        back = WEEKS if isinstance(job.trigger, Cron) and "*/" not in job.trigger.expression else timedelta(days=1)
        return (instant.at for instant in schedule.instants(job.trigger, now - back, now))
    return ()


def ended(job: Job, at: datetime, now: datetime, rng: random.Random) -> tuple[Any, ...]:
    day, took = (now - at).days, SECONDS.get(job.name, 1.3) * rng.uniform(0.8, 1.3)
    logical = at.astimezone(in_force.zone_of(job)).date() - timedelta(days=job.business_day_offset)
    state, reason, error = fate(job.name, day, rng)
    ran = state in ("succeeded", "failed")
    began = at + timedelta(seconds=rng.uniform(0.01, 0.4)) if ran else None
    over = (began + timedelta(seconds=took)) if began else at + timedelta(seconds=1)
    return (
        job.name, at, logical, "schedule", state, reason, at, job.catch_up.is_each, 1 if ran else 0,
        int(state == "failed"), began, None if state == "held" else over, error,
        json.dumps({"paid": rng.randint(3000, 4200)}) if state == "succeeded" and job.name == PAYOUT else None,
    )  # fmt: skip


def fate(name: str, day: int, rng: random.Random) -> tuple[str, str | None, str | None]:
    if day == 17 and name != HEALTH:
        return "missed", "the daemon was down", None
    if name == INVOICE and day < 4:
        return "held", "backlog of 4 exceeds the limit of 3", None
    if name == REPORT and day < 7:
        return "failed", None, "ConnectTimeout: reports.example.com did not answer within 10 s"
    if name in (HEALTH, "investment.notification_processing") and rng.random() < 0.03:
        return "skipped", "overlap with the run before", None
    if name != LIMITS and rng.random() < 0.01:
        return "failed", None, "DeadlockDetectedError: deadlock detected"
    return "succeeded", None, None
