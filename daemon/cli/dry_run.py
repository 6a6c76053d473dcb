"""`sexton run-job --dry-run`: what a run would do, said by the job itself, with nothing written anywhere."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

import asyncpg

from daemon import in_words, schedule
from daemon.catalogue import Catalogue
from daemon.cli import output
from daemon.cli.common import BadUsage, CommandFailed
from daemon.cli.database import connected
from daemon.clock import utc_now
from daemon.connections import Session
from daemon.database import Outage
from daemon.job import Job
from daemon.jsonable import to_json
from daemon.run_ledger import timezone_name
from daemon.settings import Settings


class DryRunError(Exception):
    """A job's dry run asked for what only a run may do."""


@dataclass(frozen=True, slots=True)
class DryContext:
    """What a `dry_run` is given of `daemon.job.Context`: the dates, arguments and settings, and a snapshot to read."""

    job: Job
    due_at: datetime
    args: Mapping[str, Any]
    settings: Any
    connection: asyncpg.Connection
    run_id: int = 0
    attempt: int = 0
    cursor: None = None

    @property
    def logical_date(self) -> date:
        spec = self.job.trigger if isinstance(self.job.trigger, schedule.Schedule) else schedule.OnDemand()
        return schedule.local_date(spec, self.due_at)

    @property
    def business_date(self) -> date:
        return self.logical_date - timedelta(days=self.job.business_day_offset)

    @property
    def log(self) -> logging.LoggerAdapter[Any]:
        return logging.LoggerAdapter(logging.getLogger(f"sexton.job.{self.job.name}"), {})

    def now(self) -> datetime:
        return utc_now()

    async def progress(self, done: float, total: float | None = None) -> None:
        """Nobody watches."""

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Session]:
        async with self.connection.transaction(isolation="repeatable_read", readonly=True):
            zone = timezone_name(self.job)
            await self.connection.execute(
                f"SET LOCAL search_path = \"{self.job.suite}\", pg_catalog; SET LOCAL timezone = '{zone}'"
            )
            yield Session(self.connection, Outage(lambda _: None))

    def __getattr__(self, name: str) -> NoReturn:
        raise DryRunError(f"{self.job.name}: a dry run may only read, through ctx.snapshot(); it asked for ctx.{name}")


async def dry_run(settings: Settings, catalogue: Catalogue, job: Job, due_at: datetime, args: Mapping[str, Any]) -> int:
    """Print what the job's `dry_run` answers, as JSON. Raises `BadUsage` for a job that has none."""
    if job.dry_run is None:
        raise BadUsage(f"{job.name} has no dry run: its author gives one with @job(…, dry_run=…)")
    async with connected(settings, command_timeout=None) as (connection, _):
        local = due_at.astimezone(ZoneInfo(timezone_name(job)))
        context = DryContext(job, local, args, catalogue.settings.get(job.suite), connection)
        try:
            answer = await job.dry_run(context)
        except asyncpg.UndefinedTableError as error:
            raise CommandFailed(f"{error}: the schema is older than this program; first: sexton migrate") from None
        except ValueError as error:
            raise BadUsage(f"{job.name}: {error}") from None
    output.note(f"nothing was done: this is what a run of {job.name} due at {in_words.iso(local)} would do now")
    print(to_json(answer))
    return 0
