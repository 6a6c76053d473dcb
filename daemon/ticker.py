"""Due instants → ledger rows. No leader: every node ticks every job it knows, and a compare-and-swap decides."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from asyncpg import Record

from daemon import catchup, ledger, schedule
from daemon.agenda import Agenda
from daemon.burst import slices, uncollected
from daemon.clock import DatabaseClock, monotonic, utc_now, why_distrusted
from daemon.database import Link
from daemon.events import ClockBehind, ClockStepped, Event, InstantsSettled
from daemon.job import Job, Overlap
from daemon.ledger import Claimed, KnownJob, NewRun, TickedJob
from daemon.roster import Roster, fingerprint_of, stored_schedule

MOST_INSTANTS = 1000
LOOK_AGAIN = 0.05
LONGEST_SLEEP = 60.0
BEHIND_TOLERATED = 1.0
Planned = tuple[TickedJob, list[NewRun]]


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The run that a job's next instant will become if nothing unusual happens, planned while there was time."""

    job: Job
    known: KnownJob
    row: NewRun
    then: datetime


@dataclass
class Ticker:
    """`step` evaluates everything that is due now and returns how long to sleep.

    `free_slots` says how many runs may start in the tick itself; `start` receives those that did.
    """

    link: Link
    clock: DatabaseClock
    roster: Roster
    node: Callable[[], UUID]
    emit: Callable[[Event], None]
    free_slots: Callable[[], int]
    start: Callable[[Sequence[Claimed]], None]
    ready: Callable[[], None]
    next_at: float = 0.0
    _known: dict[str, KnownJob] = field(default_factory=dict)
    _foreseen: dict[str, Foreseen] = field(default_factory=dict)
    _agenda: Agenda = field(default_factory=Agenda)
    _stale: set[str] = field(default_factory=set)
    _behind: bool = False

    def forget(self, names: set[str] | None = None) -> None:
        """Read these jobs' rows again before the next tick; all of them by default."""
        self._stale |= set(self.roster.jobs) if names is None else names & set(self.roster.jobs)

    async def read_clock(self) -> None:
        self.learn_clock(await self.link.fetchval(ledger.CLOCK))

    def learn_clock(self, answer: datetime) -> bool:
        """Take in the database's time; True if it leapt. EACH instants of the tick that notices wait for a person."""
        moved = self.clock.learn(answer)
        leapt = abs(moved) > timedelta(seconds=BEHIND_TOLERATED)
        if leapt:
            self.emit(ClockStepped(moved.total_seconds()))
        self.clock.distrust = why_distrusted(moved, answer, utc_now()) or self.clock.distrust
        return leapt

    async def step(self) -> float:
        """One pass. Raises `DatabaseDown`; the watermarks are then where they were, so no instant is lost."""
        if self._stale:
            await self._sync()
        now = self.clock.now()
        due = self._pop_due(now)
        if due:
            await self._tick([TickedJob(k, k.fingerprint, now) for k in (self._known[name] for name in due)], now)
        elif self._behind_by(now) > BEHIND_TOLERATED:
            await self.read_clock()
        if self._stale:
            return LOOK_AGAIN
        return self._until_next()

    async def _sync(self) -> None:
        """Rows of stale jobs are read, new jobs introduced, changed schedules closed off with the old one."""
        await self.read_clock()
        names = sorted(self._stale & set(self.roster.jobs))
        known = await ledger.known_jobs(self.link, names)
        fresh = [name for name in names if name not in known]
        if fresh:
            jobs = [self.roster.catalogue.jobs[name] for name in fresh]
            await self.link.fetch(ledger.INTRODUCE_JOBS, fresh, [fingerprint_of(job) for job in jobs])
            known |= await ledger.known_jobs(self.link, fresh)
        changed: list[TickedJob] = []
        self._stale.clear()
        for row in known.values():
            self._known[row.name] = row
            job = self.roster.learn(row)
            if row.fingerprint != fingerprint_of(job):
                changed.append(TickedJob(row, fingerprint_of(job), max(row.evaluated_until, self.clock.now())))
            else:
                self._push(row.name)
        if changed:
            await self._tick(changed, self.clock.now())

    async def _tick(self, due: Sequence[TickedJob], now: datetime) -> None:
        outstanding = await self._outstanding(due)
        planned = [self._planned(ticked, now, outstanding.get(ticked.known.name, 0)) for ticked in due]
        planned.sort(key=_urgency)  # slots may not suffice for all
        parts = slices(planned)
        try:
            with uncollected(len(parts) > 1):
                answers = await self._write(parts, now)
                await asyncio.sleep(0)  # bodies begin first
            for part, answer in zip(parts, answers, strict=True):
                self._take([ticked for ticked, _ in part], answer)
                await asyncio.sleep(0)
        except BaseException:
            self._stale.update(ticked.known.name for ticked in due)  # what the database knows is in doubt
            raise
        if any(answers) and not self._stale and all(ticked.until >= now for ticked, _ in planned):
            self.clock.distrust = None  # not before every instant of the leap has its row

    async def _write(self, parts: Sequence[Sequence[Planned]], now: datetime) -> list[Sequence[Record]]:
        """A statement for each slice, and its runs started at once. The link is held, so that what ends
        meanwhile is recorded when everything has begun."""
        answers = []
        async with self.link.held() as connection:
            for part in parts:
                runs = self._claiming([run for _, rows in part for run in rows])
                answer = await ledger.tick(connection, [ticked for ticked, _ in part], runs, now, self.node())
                self._begin(answer, now)
                answers.append(answer)
        return answers

    async def _outstanding(self, due: Sequence[TickedJob]) -> dict[str, int]:
        names = [d.known.name for d in due if self.roster.jobs[d.known.name].catch_up.is_each]
        if not names:
            return {}
        return {r["job"]: r["outstanding"] for r in await self.link.fetch(ledger.UNSETTLED, names)}

    def _planned(self, ticked: TickedJob, now: datetime, outstanding: int) -> Planned:
        seen = self._foreseen.get(ticked.known.name)
        if seen is not None and self._comes_true(seen, ticked, now):
            return ticked, [seen.row]
        return self._plan(ticked, now, outstanding)

    def _comes_true(self, seen: Foreseen, ticked: TickedJob, now: datetime) -> bool:
        """Whether evaluating the schedule now would give just the row that was foreseen."""
        name, at = ticked.known.name, seen.row.due_at
        job = self.roster.jobs[name]
        return (
            seen.known is ticked.known
            and seen.job is job
            and at <= ticked.until < seen.then
            and name not in self.roster.paused
            and catchup.still_worth_running(at, now, job.catch_up, job.max_lateness)
        )

    def _plan(self, ticked: TickedJob, now: datetime, outstanding: int) -> Planned:
        """Which rows the instants in (evaluated_until, until] become; a huge backlog is taken in slices."""
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
            distrust=self.clock.distrust,
            outstanding=outstanding,
            initial="waiting" if job.requires or job.after else "ready",
        )
        daily = schedule.daily_or_longer(spec)
        rows = [_row(job, spec, p, daily=daily) for p in planned]
        first = next((i for i, row in enumerate(rows) if row.claim), 0)
        return [row if i == first else replace(row, claim=False) for i, row in enumerate(rows)]

    def _claiming(self, runs: list[NewRun]) -> list[NewRun]:
        """Mark what may start in the same statement: as many as there are slots, the important ones first."""
        free = max(self.free_slots(), 0)
        if free >= len(runs):
            return runs
        wanted = sorted((i for i, run in enumerate(runs) if run.claim), key=lambda i: runs[i].priority)
        chosen = set(wanted[:free])
        return [run if i in chosen else replace(run, claim=False) for i, run in enumerate(runs)]

    def _begin(self, answer: Sequence[Record], now: datetime) -> None:
        """Runs that the statement started are performed; of the rest, whoever is concerned is told."""
        started: list[Claimed] = []
        waiting = False
        for row in answer:
            if row["state"] == "running":
                started.append(ledger.started(row, now))
            elif row["state"] in ("ready", "waiting"):
                waiting = True
            elif row["state"] is not None:
                self.emit(InstantsSettled(row["name"], row["state"], row["count"], row["due_at"], row["reason"] or ""))
        if started:
            self.start(started)
        if waiting:
            self.ready()

    def _take(self, jobs: Sequence[TickedJob], answer: Sequence[Record]) -> None:
        """Watermarks moved; who is missing from the answer was ticked by somebody else."""
        ticked = {row["name"]: row["until"] for row in answer}
        for j in jobs:
            k = j.known
            if k.name not in ticked:
                self._stale.add(k.name)
                continue
            self._known[k.name] = replace(k, fingerprint=j.fingerprint, evaluated_until=ticked[k.name])
            self._push(k.name)

    def _push(self, name: str) -> None:
        known, job = self._known[name], self.roster.jobs.get(name)
        if job is None:
            return
        self._foreseen.pop(name, None)
        spec = stored_schedule(known.fingerprint)
        coming = schedule.upcoming(spec, known.evaluated_until, 2)
        if coming:
            self._agenda.add(coming[0].at, name)
        if len(coming) == 2 and not job.catch_up.is_each and name not in self.roster.paused:
            (row,) = self._rows(job, spec, coming[:1], coming[0].at, job.max_lateness, 0)
            self._foreseen[name] = Foreseen(job, known, row, coming[1].at)

    def _pop_due(self, now: datetime) -> list[str]:
        return [
            name
            for name in self._agenda.take(now)
            if name in self.roster.jobs and self._known[name].evaluated_until < now
        ]

    def _behind_by(self, now: datetime) -> float:
        """How far the clock is behind what is already evaluated: it was set back, so cron waits, and says so."""
        behind = max(((k.evaluated_until - now).total_seconds() for k in self._known.values()), default=0.0)
        if behind > BEHIND_TOLERATED and not self._behind:
            self.emit(ClockBehind(behind))
        self._behind = behind > BEHIND_TOLERATED
        return behind

    def _until_next(self) -> float:
        at = self._agenda.next
        left = self.clock.seconds_until(at) if at is not None else LONGEST_SLEEP
        left = min(max(left, 0.0), LONGEST_SLEEP)
        self.next_at = monotonic() + left
        return left

    def upcoming(self, count: int) -> list[tuple[datetime, str]]:
        return self._agenda.upcoming(count)


def _urgency(planned: Planned) -> int:
    return min((run.priority for run in planned[1]), default=0)


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
