"""Which rows a job's due instants become: evaluated when they are due, or foreseen while there was time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice

from daemon import catchup, schedule
from daemon.job import Job, Overlap
from daemon.ledger import KnownJob, NewRun, TickedJob
from daemon.roster import Roster, stored_schedule

MOST_INSTANTS = 1000
Planned = tuple[TickedJob, list[NewRun]]


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The run that a job's next instant will become if nothing unusual happens, planned while there was time."""

    job: Job
    known: KnownJob
    row: NewRun
    then: datetime


@dataclass
class Planner:
    """`distrust` says why EACH instants must wait for a person just now, if they must."""

    roster: Roster
    distrust: Callable[[], str | None]
    _foreseen: dict[str, Foreseen] = field(default_factory=dict)

    def foresee(self, job: Job, known: KnownJob, coming: Sequence[schedule.Instant]) -> None:
        """Plan the first of the coming instants, so that a burst has less to do when it is due."""
        self._foreseen.pop(job.name, None)
        plain = not job.catch_up.is_each and not self._idle(job.name)
        if len(coming) == 2 and plain and not self._in_gap(coming[0].at):
            spec = stored_schedule(known.fingerprint)
            (row,) = self._rows(job, spec, coming[:1], coming[0].at, job.max_lateness, 0)
            self._foreseen[job.name] = Foreseen(job, known, row, coming[1].at)

    def plan(self, ticked: TickedJob, now: datetime, outstanding: int) -> Planned:
        """Which rows the instants in (evaluated_until, until] become; `outstanding` EACH instants are unsettled."""
        seen = self._foreseen.get(ticked.known.name)
        if seen is not None and self._comes_true(seen, ticked, now):
            return ticked, [seen.row]
        return self._evaluate(ticked, now, outstanding)

    def _comes_true(self, seen: Foreseen, ticked: TickedJob, now: datetime) -> bool:
        """Whether evaluating the schedule now would give just the row that was foreseen."""
        name, at = ticked.known.name, seen.row.due_at
        job = self.roster.jobs[name]
        return (
            seen.known is ticked.known
            and seen.job is job
            and at <= ticked.until < seen.then
            and not self._idle(name)
            and not self._in_gap(at)
            and catchup.still_worth_running(at, now, job.catch_up, job.max_lateness)
        )

    def _idle(self, name: str) -> bool:
        return name in self.roster.paused or self.roster.stopped is not None

    def _in_gap(self, at: datetime) -> bool:
        return self.roster.gap is not None and at <= self.roster.gap.until

    def _evaluate(self, ticked: TickedJob, now: datetime, outstanding: int) -> Planned:
        """As `plan`, by evaluating the schedule; a huge backlog is taken in slices."""
        job = self.roster.jobs[ticked.known.name]
        spec = stored_schedule(ticked.known.fingerprint)
        found = schedule.instants(spec, ticked.known.evaluated_until, ticked.until)
        instants = list(islice(found, MOST_INSTANTS + 1))
        max_lateness = job.max_lateness
        if len(instants) > MOST_INSTANTS:
            instants = instants[:MOST_INSTANTS]
            ticked = TickedJob(ticked.known, ticked.known.fingerprint, instants[-1].at)
            max_lateness = max_lateness if job.catch_up.is_each else timedelta(0)
        return ticked, self._rows(job, spec, instants, now, max_lateness, outstanding)

    def _rows(
        self, job: Job, spec: schedule.Schedule, instants: Sequence[schedule.Instant], now: datetime,
        max_lateness: timedelta | None, outstanding: int,
    ) -> list[NewRun]:  # fmt: skip
        planned = catchup.plan(
            instants,
            job.catch_up,
            now=now,
            max_lateness=max_lateness,
            paused_by=self.roster.paused.get(job.name),
            distrust=self.distrust(),
            outstanding=outstanding,
            initial="waiting" if job.requires or job.after else "ready",
            stopped=self.roster.stopped,
            gap=self.roster.gap,
        )
        daily = schedule.daily_or_longer(spec)
        rows = [_row(job, spec, p, daily=daily) for p in planned]
        first = next((i for i, row in enumerate(rows) if row.claim), 0)
        return [row if i == first else replace(row, claim=False) for i, row in enumerate(rows)]


def _row(job: Job, spec: schedule.Schedule, planned: catchup.PlannedRun, *, daily: bool) -> NewRun:
    return NewRun(
        job=job.name,
        due_at=planned.due_at,
        due_until=planned.due_until,
        count=planned.count,
        logical_date=schedule.local_date(spec, planned.due_at),
        logical_until=schedule.local_date(spec, planned.due_until) if planned.due_until else None,
        state=planned.state,
        reason=planned.reason,
        priority=int(job.priority),
        strict=job.catch_up.is_each,
        daily=daily,
        note=planned.note,
        claim=planned.state == "ready" and job.overlap is not Overlap.ALLOW and job.connections <= 1,
    )
