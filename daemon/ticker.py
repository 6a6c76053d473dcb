"""Due instants → ledger rows. No leader: every node ticks every job it knows, and a compare-and-swap decides."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from asyncpg import Record

from daemon import ledger, schedule
from daemon.agenda import Agenda
from daemon.burst import slices, uncollected
from daemon.clock import DatabaseClock, monotonic, utc_now, why_distrusted
from daemon.database import Link
from daemon.events import ClockBehind, ClockStepped, Event, InstantsSettled
from daemon.ledger import Claimed, KnownJob, NewRun, TickedJob
from daemon.planner import Planned, Planner
from daemon.roster import Roster, fingerprint_of, stored_schedule

LONG_AGO = datetime.min.replace(tzinfo=UTC)
LOOK_AGAIN = 0.05
LONGEST_SLEEP = 60.0
TIMER_LATE = 0.002  # how late a timer of the loop is apt to be: the last of a wait is taken in small steps
SHORTEST_SLEEP = 0.0005
BEHIND_TOLERATED = 1.0


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
    _agenda: Agenda = field(default_factory=Agenda)
    _stale: set[str] = field(default_factory=set)
    _behind: bool = False
    _furthest: datetime = LONG_AGO

    def __post_init__(self) -> None:
        self._planner = Planner(self.roster, lambda: self.clock.distrust)

    def forget(self, names: set[str] | None = None) -> None:
        """Read these jobs' rows again before the next tick; all of them by default."""
        self._stale |= set(self.roster.jobs) if names is None else names & set(self.roster.jobs)

    async def learn_jobs(self) -> None:
        """Take in what persons have paused and overridden, before anything may begin. The rest is read in `step`."""
        for row in (await ledger.known_jobs(self.link, sorted(self.roster.jobs))).values():
            self.roster.learn(row)

    async def read_clock(self) -> None:
        self.learn_clock(await self.link.fetchval(ledger.CLOCK))

    def learn_clock(self, answer: datetime, took: float = 0.0) -> bool:
        """Take in the database's time; True if it leapt. EACH instants of the tick that notices wait for a person."""
        moved = self.clock.learn(answer, took)
        leapt = abs(moved) > timedelta(seconds=BEHIND_TOLERATED)
        if leapt:
            self.emit(ClockStepped(moved.total_seconds()))
        # the first reason stays: a leap is still the cause when the next reading only finds two clocks apart
        self.clock.distrust = self.clock.distrust or why_distrusted(moved, answer, utc_now())
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
        self.roster.gap = await ledger.gap(self.link)
        known = await ledger.known_jobs(self.link, names)
        fresh = [name for name in names if name not in known]
        if fresh:
            jobs = [self.roster.catalogue.jobs[name] for name in fresh]
            await self.link.fetch(ledger.INTRODUCE_JOBS, fresh, [fingerprint_of(job) for job in jobs])
            known |= await ledger.known_jobs(self.link, fresh)
        changed: list[TickedJob] = []
        self._stale.clear()
        for row in known.values():
            self._remember(row)
            job = self.roster.learn(row)
            if row.fingerprint != fingerprint_of(job):
                changed.append(TickedJob(row, fingerprint_of(job), max(row.evaluated_until, self.clock.now())))
            else:
                self._push(row.name)
        if changed:
            await self._tick(changed, self.clock.now())

    async def _tick(self, due: Sequence[TickedJob], now: datetime) -> None:
        outstanding = await self._outstanding(due)
        parts = slices(sorted(due, key=self._urgency))  # slots may not suffice for all
        try:
            with uncollected(len(parts) > 1):
                answers = await self._write(parts, now, outstanding)
                await asyncio.sleep(0)  # bodies begin first
            for part, answer in answers:
                self._take(part, answer)
                await asyncio.sleep(0)
        except BaseException:
            self._stale.update(ticked.known.name for ticked in due)  # what the database knows is in doubt
            raise
        whole = all(ticked.until >= now for part, _ in answers for ticked in part)
        if whole and any(answer for _, answer in answers) and not self._stale:
            self.clock.distrust = None  # not before every instant of the leap has its row

    async def _write(
        self, parts: Sequence[Sequence[TickedJob]], now: datetime, outstanding: Mapping[str, int]
    ) -> list[tuple[list[TickedJob], Sequence[Record]]]:
        """A statement for each slice; while the database works on one, the runs of the one before begin, and the next
        is planned. The link is held, so that what ends meanwhile is recorded when everything has begun."""
        answers: list[tuple[list[TickedJob], Sequence[Record]]] = []
        begin: Sequence[Record] = []
        plans = ([self._planner.plan(t, now, outstanding.get(t.known.name, 0)) for t in part] for part in parts)
        planned = next(plans, None)
        async with self.link.held() as connection:
            while planned:
                starting = sum(row["state"] == "running" for row in begin)
                runs = self._claiming([run for _, rows in planned for run in rows], starting)
                ticked = [ticked for ticked, _ in planned]
                asked = asyncio.create_task(ledger.tick(connection, ticked, runs, now, self.node()))
                begin, planned = await self._meanwhile(asked, begin, now, plans)
                answers.append((ticked, begin))
            self._begin(begin, now)
        return answers

    async def _meanwhile(
        self, asked: asyncio.Task[Sequence[Record]], begin: Sequence[Record], now: datetime,
        plans: Iterator[list[Planned]],
    ) -> tuple[Sequence[Record], list[Planned] | None]:  # fmt: skip
        """The answer, and the next plan. What the one before has started begins whatever happens to this one."""
        try:
            try:
                await asyncio.sleep(0)  # the question is on its way then
            finally:
                self._begin(begin, now)
            planned = next(plans, None)
            return await asked, planned
        finally:
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)

    async def _outstanding(self, due: Sequence[TickedJob]) -> dict[str, int]:
        names = [d.known.name for d in due if self.roster.jobs[d.known.name].catch_up.is_each]
        if not names:
            return {}
        return {r["job"]: r["outstanding"] for r in await self.link.fetch(ledger.UNSETTLED, names)}

    def _claiming(self, runs: list[NewRun], starting: int) -> list[NewRun]:
        """Mark what may start in the same statement: as many as there are slots, the important ones first.
        `starting` have been claimed and have not taken theirs yet."""
        free = max(self.free_slots() - starting, 0)
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
        ticked = {row["name"] for row in answer}
        for j in jobs:
            k = j.known
            if k.name not in ticked:
                self._stale.add(k.name)
                continue
            self._remember(replace(k, fingerprint=j.fingerprint, evaluated_until=j.until))
            self._push(k.name)

    def _remember(self, known: KnownJob) -> None:
        self._known[known.name] = known
        self._furthest = max(self._furthest, known.evaluated_until)

    def _urgency(self, ticked: TickedJob) -> int:
        return self.roster.jobs[ticked.known.name].priority

    def _push(self, name: str) -> None:
        known, job = self._known[name], self.roster.jobs.get(name)
        if job is None:
            return
        coming = schedule.upcoming(stored_schedule(known.fingerprint), known.evaluated_until, 2)
        if coming:
            self._agenda.add(coming[0].at, name)
        self._planner.foresee(job, known, coming)

    def _pop_due(self, now: datetime) -> list[str]:
        return [
            name
            for name in self._agenda.take(now)
            if name in self.roster.jobs and self._known[name].evaluated_until < now
        ]

    def _behind_by(self, now: datetime) -> float:
        """How far the clock is behind what is already evaluated: it was set back, so cron waits, and says so."""
        behind = (self._furthest - now).total_seconds()
        if behind > BEHIND_TOLERATED and not self._behind:
            self.emit(ClockBehind(behind))
        self._behind = behind > BEHIND_TOLERATED
        return behind

    def _until_next(self) -> float:
        at = self._agenda.next
        left = self.clock.seconds_until(at) if at is not None else LONGEST_SLEEP
        left = min(max(left, 0.0), LONGEST_SLEEP)
        self.next_at = monotonic() + left
        return max(left - TIMER_LATE, SHORTEST_SLEEP) if left else 0.0

    def upcoming(self, count: int) -> list[tuple[datetime, str]]:
        return self._agenda.upcoming(count)
