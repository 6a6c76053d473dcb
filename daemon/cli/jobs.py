"""`sexton jobs`: the crontab of the house."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import asyncpg

from daemon import in_force, in_words
from daemon.catalogue import Catalogue
from daemon.cli import output
from daemon.cli.common import CommandFailed, Invocation, run_async
from daemon.cli.database import GLANCE, connected
from daemon.clock import utc_now
from daemon.database import REFUSED, DatabaseDown
from daemon.embedded_errors import EmbeddedError
from daemon.in_force import InForce
from daemon.job import Job
from daemon.jsonable import number
from daemon.settings import JobSettings, Settings


def show_jobs(invocation: Invocation, *, as_json: bool) -> int:
    """Print every job as it is in force, with its next instants and its last run."""
    settings, catalogue = invocation.settings, invocation.catalogue
    known = run_async(lambda: ask(settings, catalogue))
    now = utc_now()
    if as_json:
        output.print_json(
            [described(job, catalogue.origins.get(name, {}), known, now) for name, job in known.jobs.items()]
        )
        return 0
    for warning in catalogue.warnings:
        output.warn(warning)
    if known.jobs:
        output.table(
            ("job", "schedule", "next", "last", "state"),
            [_row(job, known, now) for job in known.jobs.values()],
        )
    else:
        output.note(f"no jobs in the suites {output.listed(settings.suites)}")
    return 0


async def ask(settings: Settings, catalogue: Catalogue) -> InForce:
    """What the ledger knows; without a database, what the configuration alone says, and a warning."""
    try:
        async with connected(settings, patience=GLANCE) as (connection, _):
            return await in_force.read(connection, catalogue, output.warn)
    except (CommandFailed, DatabaseDown, EmbeddedError, *REFUSED) as error:
        output.warn(f"last runs, overrides and pauses are not known: {error}")
    except asyncpg.UndefinedTableError:
        output.warn("last runs, overrides and pauses are not known: the database is empty; run: sexton migrate")
    return InForce(catalogue.jobs)


def described(job: Job, origins: Mapping[str, str], known: InForce, now: datetime) -> dict[str, Any]:
    """The JSON form; its keys are an interface."""
    zone = in_force.zone_of(job)
    return {
        "name": job.name,
        "suite": job.suite,
        "kind": in_force.kind_of(job),
        "schedule": in_force.schedule_text(job),
        "timezone": zone.key,
        "next": [in_words.iso(instant.at, zone) for instant in in_force.expected(job, now, 3)],
        "timeout_s": number(job.timeout),
        "priority": job.priority.name.lower(),
        "catch_up": str(job.catch_up),
        "depends_on": [*job.requires, *job.after],
        "enabled": job.enabled,
        "last": last_of(job, known),
        "origins": origins_of(job, origins, known),
    }


def last_of(job: Job, known: InForce) -> dict[str, Any] | None:
    """The run that started last: {due_at, state, duration_s}; the duration is null while it runs."""
    row = known.last.get(job.name)
    if row is None:
        return None
    took = row["duration_s"]
    return {
        "due_at": in_words.iso(row["due_at"], in_force.zone_of(job)),
        "state": row["state"],
        "duration_s": None if took is None else round(took, 3),
    }


def origins_of(job: Job, origins: Mapping[str, str], known: InForce) -> dict[str, str]:
    """Who set each value: `decorator`, `file`, `environment`, `credential` or `override`."""
    overridden = known.overridden.get(job.name, frozenset())
    return {
        key: "override" if key in overridden else in_force.origin(origins.get(key)) for key in JobSettings.model_fields
    }


def _row(job: Job, known: InForce, now: datetime) -> tuple[str, ...]:
    zone = in_force.zone_of(job)
    coming = in_force.upcoming(job, now, 1)
    last = known.last.get(job.name)
    ended = f"{last['state']} {in_words.moment(last['due_at'], zone)}" if last else in_words.NOTHING
    state = "enabled" if job.enabled else "disabled"
    if job.enabled and (by := known.paused.get(job.name)):
        state = f"paused by {by}"
    return (
        job.name,
        in_force.schedule_words(job),
        in_words.moment(coming[0].at, zone) if coming else in_words.NOTHING,
        ended,
        state,
    )
