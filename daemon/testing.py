"""For suites' tests: run one job body exactly as production would, at a time of the test's choosing."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg

from daemon import catalogue, ledger, schedule, sql
from daemon.active_run import ActiveRun
from daemon.backup.lender import BackupLender
from daemon.backup_settings import BackupSettings
from daemon.connections import JobConnections
from daemon.context import RunContext
from daemon.database import Link, Outage
from daemon.events import Event
from daemon.executor import Executor
from daemon.facilities import Facilities
from daemon.job import Job
from daemon.ledger import Claimed
from daemon.letters import Letters, template_folders
from daemon.mail_fields import differences
from daemon.outbox import Missing
from daemon.outcome import Ending, Outcome, to_finish
from daemon.recorder import Recorder
from daemon.roster import Roster
from daemon.settings import Settings
from daemon.slots import Slots

__all__ = ["PerformedRun", "connect", "differences", "perform"]

(INSERT_RUN,) = sql.load(__file__, "insert_run")


@dataclass(frozen=True, slots=True)
class PerformedRun:
    """What became of a performed run: its id, how the body ended, and what it reported."""

    id: int
    ending: str
    result: Any
    error: str | None


async def _in_this_process(fn: Callable[..., Any], *args: Any, timeout: float | None = None, name: str = "") -> Any:
    """`ctx.compute` without worker processes: what the function computes is the same."""
    value = fn(*args)
    return await value if isinstance(value, Awaitable) else value


async def perform(
    job: Job,
    *,
    url: str,
    due_at: datetime,
    args: Mapping[str, Any] | None = None,
    settings: object = None,
    now: datetime | None = None,
    compute: Callable[..., Awaitable[Any]] = _in_this_process,
    resume: int | None = None,
    events: list[Event] | None = None,
    backup: Mapping[str, Any] | None = None,
) -> PerformedRun:
    """Perform one run of `job` on the migrated database at `url`, in the ledger, fenced, committed.

    `due_at` is the instant it is due at; `now` what its clock says (default: that instant). `resume` performs
    an earlier run again, from its cursor, as a retry would. `backup` is `[backup]` of the configuration; without it no
    backups are there.
    """
    heard: list[Event] = events if events is not None else []
    outage = Outage(heard.append)
    node = uuid4()
    link = Link(lambda: url, lambda: f"sexton test {node}", outage)
    connections = JobConnections(
        lambda: url, lambda: f"sexton test {node}", outage, size=max(job.connections, 2), lease=30
    )
    clock = now or due_at
    try:
        claimed = await _claimed(link, job, due_at, node, args, resume)
        run = ActiveRun(claimed, job)
        facilities = Facilities(
            connections=connections, link=link, outage=outage, now=lambda: clock, node=lambda: node,
            compute=compute, free_workers=lambda: 5, pool_size=5, settings={job.suite: settings},
            announce=heard.append, opened=lambda _: None, retry_base=30.0, claiming=lambda: True, holdings={},
            missing_template=_missing_beside(job), backups=_lender(url, backup, heard),
        )  # fmt: skip
        outcome = await _perform(run, facilities, link)
        return PerformedRun(claimed.id, str(outcome.ending), outcome.result, outcome.error)
    finally:
        await connections.close()
        await link.close()


def _lender(url: str, backup: Mapping[str, Any] | None, heard: list[Event]) -> BackupLender:
    settings = Settings(
        suites=(), backup=BackupSettings.model_validate(backup or {"directory": os.devnull + "/backups"})
    )
    return BackupLender(settings, url, lambda: "sexton backup test", heard.append)


def _missing_beside(job: Job) -> Missing:
    """Templates are looked for in the package that the job's file is in."""

    def missing(suite: str, template: str, channel: str) -> Path | None:
        folders = template_folders({suite: job.body.__module__.rpartition(".")[0]})
        return Letters(folders).missing(suite, template, channel)

    return missing


async def _claimed(
    link: Link, job: Job, due_at: datetime, node: object, args: Mapping[str, Any] | None, resume: int | None
) -> Claimed:
    zone = schedule.Cron("0 0 * * *", "UTC") if not isinstance(job.trigger, schedule.Cron) else job.trigger
    row = await link.fetchrow(
        INSERT_RUN, job.name, due_at, schedule.local_date(zone, due_at), node, ledger.encoded(args or {}), resume
    )
    assert row is not None
    return ledger.claimed(row)


async def _perform(run: ActiveRun, facilities: Facilities, link: Link) -> Outcome:
    roster = Roster(catalogue.of([run.job]), facilities.announce)
    executor = Executor(
        roster, Slots(1, 1), Recorder(link), lambda r: RunContext(r, facilities), facilities.now,
        facilities.announce, lambda: None,
    )  # fmt: skip
    outcome = await executor.perform(run)
    finish = to_finish(run.claimed, run.job, outcome, now=datetime.now(UTC), moved=run.moved)
    if finish is not None and run.claimed.id not in await ledger.finish(link, [finish]):
        return Outcome(Ending.FENCED, reason="another node has it now")
    return outcome


async def connect(url: str) -> asyncpg.Connection:
    """A plain connection, for what a test wants to see."""
    return await asyncpg.connect(url)
