"""PURE: by when a job must have succeeded again, told from its own schedule: a weekday job owes nothing on Sunday."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from daemon.job import Job
from daemon.schedule import Cron, Every, upcoming


@dataclass(frozen=True, slots=True)
class Expectation:
    """`by`: when the first success after `since` is late. `twice`: when the second one is; None if none comes."""

    by: datetime
    twice: datetime | None


def expected(job: Job, since: datetime) -> Expectation | None:
    """After a success (or a change by a person) at `since`; None for what has no schedule, or no instant to come.

    An instant may take its timeout, and a job with dependencies may wait for them first.
    """
    if not job.enabled or not isinstance(job.trigger, Cron | Every):
        return None
    coming = upcoming(job.trigger, since, 2)
    if not coming:
        return None
    patience = job.timeout
    if job.requires or job.after:
        patience += job.dependency_timeout
    late = [instant.at + patience for instant in coming]
    return Expectation(late[0], late[1] if len(late) > 1 else None)
