"""PURE: what becomes of a run that waits for others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from daemon.job import Job

PENDING = frozenset({"waiting", "held", "ready", "running"})


@dataclass(frozen=True, slots=True)
class Waiting:
    """A run that waits for its dependencies, or was skipped for them and may be revived."""

    run: int
    job: Job
    due_at: datetime
    logical_date: date
    state: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the run of a dependency for that logical date has come to."""

    state: str
    run: int


@dataclass(frozen=True, slots=True)
class Settlement:
    run: int
    state: str
    reason: str | None


def judge(waiting: Waiting, outcomes: Mapping[tuple[str, date], Outcome], *, now: datetime) -> Settlement | None:
    """Ready, skipped with the reason, or None: go on waiting.

    `requires` wants success; `after` wants an end, whatever it is. A dependency without a row for the date
    may still get one until `dependency_timeout` after the due instant; one that is ready or running extends it.
    """
    job, expired = waiting.job, now > waiting.due_at + waiting.job.dependency_timeout
    undecided = False
    for name in (*job.requires, *job.after):
        outcome = outcomes.get((name, waiting.logical_date))
        if outcome is None:
            if expired:
                return _skipped(waiting, f"dependency {name} did not run for {waiting.logical_date}")
            undecided = True
        elif outcome.state in PENDING:
            if expired and outcome.state in {"waiting", "held"}:
                return _skipped(waiting, f"dependency {name} is still {outcome.state} (run {outcome.run})")
            undecided = True
        elif name in job.requires and outcome.state != "succeeded":
            return _skipped(waiting, f"dependency {name} {outcome.state} (run {outcome.run})")
    return None if undecided else Settlement(waiting.run, "ready", None)


def _skipped(waiting: Waiting, reason: str) -> Settlement:
    return Settlement(waiting.run, "skipped", reason)
