"""PURE: by when a job must have succeeded again, told from its own schedule: a weekday job owes nothing on Sunday."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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


@dataclass
class Expectations:
    """Worked out anew only where something has changed: stepping over cron's days is dear, and jobs are many."""

    _known: dict[str, tuple[Job, datetime, Expectation | None]] = field(default_factory=dict)

    def of(self, jobs: Mapping[str, Job], awaited: Mapping[str, datetime]) -> dict[str, Expectation]:
        """By job; `awaited` says since when each one's next success is waited for."""
        found = {}
        for name, since in awaited.items():
            job, known = jobs[name], self._known.get(name)
            if known is None or known[:2] != (job, since):
                known = self._known[name] = (job, since, expected(job, since))
            if known[2] is not None:
                found[name] = known[2]
        return found
