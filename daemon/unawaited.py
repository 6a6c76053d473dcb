"""What a run that a person asked for does not wait for: it is ready at once, and whoever asked is told."""

from __future__ import annotations

from datetime import date, datetime

import asyncpg

from daemon import ledger, schedule
from daemon.dependencies import PENDING, Outcome
from daemon.job import Job


async def not_awaited(connection: asyncpg.Connection, job: Job, due_at: datetime) -> list[str]:
    """A sentence for each dependency that a run due then by the clock would wait for, or be skipped for."""
    names = [*job.requires, *job.after]
    if not names:
        return []
    spec = job.trigger if isinstance(job.trigger, schedule.Schedule) else schedule.OnDemand()
    day = schedule.local_date(spec, due_at)
    rows = await connection.fetch(ledger.DEPENDENCY_OUTCOMES.text, names, [day] * len(names))
    found = {row["job"]: Outcome(row["state"], row["id"]) for row in rows}
    return [said for name in names if (said := _unmet(job, name, found.get(name), day)) is not None]


def _unmet(job: Job, name: str, outcome: Outcome | None, day: date) -> str | None:
    if outcome is None:
        return f"{name} has not run for {day}"
    if outcome.state in PENDING or (name in job.requires and outcome.state != "succeeded"):
        return f"{name} is {outcome.state} for {day} (run {outcome.run})"
    return None
