"""The jobs as they are in force: configuration under an administrator's overrides, and what the ledger says of each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import asyncpg

from daemon import ledger, schedule, sql
from daemon.catalogue import Catalogue
from daemon.job import Job, OnEvent, Poll
from daemon.jsonable import number
from daemon.ledger import KnownJob
from daemon.roster import Roster
from daemon.schedule import Cron, Every, OnDemand

(LAST_RUNS,) = sql.load(ledger.__file__, "last_runs")


@dataclass(frozen=True)
class InForce:
    """`jobs` with overrides applied, `paused` by whom, `overridden` keys, the `last` run, the row as it is `known`;
    each by job name.
    """

    jobs: Mapping[str, Job]
    paused: Mapping[str, str] = field(default_factory=dict)
    overridden: Mapping[str, frozenset[str]] = field(default_factory=dict)
    last: Mapping[str, asyncpg.Record] = field(default_factory=dict)
    known: Mapping[str, KnownJob] = field(default_factory=dict)


async def read(
    connection: asyncpg.Connection,
    catalogue: Catalogue,
    warn: Callable[[str], None],
    *,
    only: Sequence[str] | None = None,
) -> InForce:
    """Ask the ledger, of all jobs or `only` some. An override that makes no sense any more is told to `warn` and left
    out, as the daemon does.
    """
    names = list(catalogue.jobs) if only is None else list(only)
    roster = Roster(catalogue, lambda event: warn(getattr(event, "text", str(event))))
    overridden: dict[str, frozenset[str]] = {}
    known: dict[str, KnownJob] = {}
    for row in await connection.fetch(ledger.KNOWN_JOBS.text, names):
        overrides = json.loads(row["overrides"])
        overridden[row["name"]] = frozenset(overrides)
        known[row["name"]] = KnownJob(
            row["name"],
            row["schedule_fingerprint"],
            row["evaluated_until"],
            row["revision"],
            row["paused_by"],
            overrides,
        )
        roster.learn(known[row["name"]])
    last = {row["job"]: row for row in await connection.fetch(LAST_RUNS.text, names)}
    return InForce({name: roster.jobs[name] for name in names}, roster.paused, overridden, last, known)


def zone_of(job: Job) -> ZoneInfo:
    """The zone its instants are told in: its cron's, else UTC."""
    return schedule.timezone_of(job.trigger) if isinstance(job.trigger, Cron) else ZoneInfo("UTC")


def schedule_text(job: Job) -> str:
    """For machines: a cron expression, `every 30s`, `ondemand`, `poll 30s` or `event KIND`."""
    match job.trigger:
        case Cron(expression=expression):
            return expression
        case Every(seconds=seconds):
            return f"every {number(seconds)}s"
        case Poll(every=every):
            return f"poll {number(every)}s"
        case OnEvent(kind=kind):
            return f"event {kind}"
        case OnDemand():
            return "ondemand"


def schedule_words(job: Job) -> str:
    """For people."""
    match job.trigger:
        case Poll(every=every, wake=wake):
            return f"polls {schedule.describe(Every(every))}" + (f", woken by {wake}" if wake else "")
        case OnEvent(kind=kind):
            return f"on each event {kind!r}"
        case trigger:
            return schedule.describe(trigger)


def kind_of(job: Job) -> str:
    match job.trigger:
        case Cron():
            return "cron"
        case Every():
            return "every"
        case Poll():
            return "poll"
        case OnEvent():
            return "event"
        case OnDemand():
            return "ondemand"


def upcoming(job: Job, after: datetime, count: int) -> list[schedule.Instant]:
    """The next due instants. None for what is disabled, or not due by itself: polls run on monotonic time."""
    if not job.enabled or isinstance(job.trigger, Poll | OnEvent):
        return []
    return schedule.upcoming(job.trigger, after, count)


def expected(job: Job, after: datetime, count: int) -> list[schedule.Instant]:
    """`upcoming`, and for a poll the instants by which it looks at the latest if nothing wakes it before."""
    if job.enabled and isinstance(job.trigger, Poll):
        return [schedule.Instant(after + n * job.trigger.every) for n in range(1, count + 1)]
    return upcoming(job, after, count)


def origin(place: str | None) -> str:
    """Who set a configured value: `decorator`, `file`, `environment` or `credential`."""
    if place is None:
        return "decorator"
    word = place.partition(" (")[0]  # of an environment: the variable's name, where it is not ours
    return word if word in ("environment", "credential") else "file"
