"""What the tables hold, counted when somebody scrapes, and told by one node at a time: a sum must not double it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import asyncpg

from daemon import sql, suite_gauges
from daemon.database import DatabaseDown, Link
from daemon.delivery_store import COUNTS
from daemon.engine import Engine
from daemon.events import Event, Note
from daemon.job import Job
from daemon.queue import WorkQueue
from daemon.suite_gauges import Gauged, SuiteGauge

TELLER, JOBS, RUNS, NODES, EVENTS, ACTIONS = sql.load(
    __file__, "teller", "jobs", "runs", "nodes", "events", "actions"
)  # fmt: skip

TABLES_PATIENCE = "10s"  # a big queue may take a while; being slow must not look like a lost database
KEPT_FOR = 900.0


@dataclass(frozen=True, slots=True)
class Amount:
    """So many, and the age of the oldest in seconds."""

    count: float
    oldest: float


@dataclass(frozen=True, slots=True)
class Counted:
    """`runs` by (job, state), `messages` by (channel, state), `queue_states` by (queue, state).

    `awaited`: since when the next success of a job is waited for; of a paused one none is.
    """

    jobs: Mapping[str, Job]
    paused: Collection[str]
    successes: Mapping[str, datetime]
    awaited: Mapping[str, datetime]
    runs: Mapping[tuple[str, str], Amount]
    queue_states: Mapping[tuple[str, str], int]
    queue_ages: Mapping[str, float]
    messages: Mapping[tuple[str, str], Amount]
    events: Amount
    nodes: Mapping[str, int]
    actions: Mapping[str, int]
    gauges: Sequence[Gauged] = ()


@dataclass(frozen=True, slots=True)
class Success:
    """The succeeded run with the latest due instant."""

    due_at: datetime
    finished_at: datetime


@dataclass
class Census:
    """`take` counts; `told` is what this node has to tell, None where another node does."""

    link: Link
    node: Callable[[], UUID]
    holds_lease: Callable[[], bool]
    jobs: Callable[[], Mapping[str, Job]]
    queues: Collection[WorkQueue]
    emit: Callable[[Event], None]
    gauges: Sequence[SuiteGauge] = ()
    failures: int = 0
    _began: datetime = field(default_factory=lambda: datetime.now(UTC))
    _successes: dict[str, Success] = field(default_factory=dict)
    _counted: Counted | None = None
    _counted_at: float = 0.0
    _counted_as: UUID | None = None
    _complaint: str = ""

    @property
    def told(self) -> Counted | None:
        """Not without the lease, nor in a new life: who was taken for dead is another's junior now, who tells."""
        fresh = time.monotonic() - self._counted_at < KEPT_FOR
        return self._counted if fresh and self.holds_lease() and self._counted_as == self.node() else None

    async def take(self) -> None:
        """What cannot be counted is complained of once; what was known stays for a while. Never raises for that."""
        try:
            async with self.link.held() as connection, connection.transaction(readonly=True):
                await connection.execute(f"SET LOCAL statement_timeout = '{TABLES_PATIENCE}'")
                node = self.node()
                ours = await connection.fetchval(TELLER.text) == node
                self._counted = await self._count(connection) if ours else None
                self._counted_as, self._counted_at = node, time.monotonic()
        except DatabaseDown:
            return  # sexton_database_up tells
        except Exception as error:  # noqa: BLE001 - complained of and counted; a scrape is served all the same
            self._complain(f"the tables cannot be counted for the metrics: {type(error).__name__}: {error}")

    def _complain(self, text: str) -> None:
        self.failures += 1
        if text != self._complaint:
            self.emit(Note("DATABASE", text, warning=True))
        self._complaint = text

    async def _count(self, connection: asyncpg.Connection) -> Counted:
        jobs = dict(self.jobs())
        paused, since = await self._look_at_jobs(connection, jobs)
        states, ages = await self._look_at_queues(connection)
        runs = await connection.fetch(RUNS.text)
        messages = await connection.fetch(COUNTS.text)
        events = await connection.fetchrow(EVENTS.text)
        nodes = await connection.fetchrow(NODES.text)
        actions = await connection.fetch(ACTIONS.text)
        assert events is not None
        assert nodes is not None
        return Counted(
            jobs=jobs, paused=paused,
            successes={name: success.finished_at for name, success in self._successes.items()},
            awaited={name: at for name, at in since.items() if name not in paused},
            runs={(r["job"], r["state"]): Amount(r["instants"], r["oldest_age_s"]) for r in runs},
            queue_states=states, queue_ages=ages,
            messages={(r["channel"], r["state"]): Amount(r["messages"], max(r["oldest_s"], 0.0)) for r in messages},
            events=Amount(events["waiting"], max(events["oldest_age_s"], 0.0)), nodes=dict(nodes),
            actions={r["action"]: r["actions"] for r in actions},
            gauges=await self._look_at_gauges(connection),
        )  # fmt: skip

    async def _look_at_jobs(
        self, connection: asyncpg.Connection, jobs: Mapping[str, Job]
    ) -> tuple[frozenset[str], Mapping[str, datetime]]:
        """Who is paused, and since when the next success of each job is waited for."""
        known = [self._successes.get(name) for name in jobs]
        rows = await connection.fetch(JOBS.text, list(jobs), [success and success.due_at for success in known])
        since: dict[str, datetime] = {}
        for row in rows:
            name = row["name"]
            if row["finished_at"] is not None:
                self._successes[name] = Success(row["due_at"], row["finished_at"])
            success = self._successes.get(name)
            base = success.finished_at if success else row["first_due_at"] or self._began
            since[name] = max(base, row["changed_at"] or base)  # resumed or rescheduled: what was before is settled
        return frozenset(row["name"] for row in rows if row["paused"]), since

    async def _look_at_gauges(self, connection: asyncpg.Connection) -> list[Gauged]:
        """Of suites. One that cannot be read is complained of, and costs no other."""
        found: list[Gauged] = []
        wrong: list[str] = []
        for gauge in self.gauges:
            try:
                found.append(await suite_gauges.read(connection, gauge))
            except (asyncpg.PostgresError, ValueError, TypeError, KeyError) as error:
                wrong.append(f"{gauge.name} cannot be read: {type(error).__name__}: {error}")
        if wrong:
            self._complain("; ".join(wrong))
        return found

    async def _look_at_queues(
        self, connection: asyncpg.Connection
    ) -> tuple[dict[tuple[str, str], int], dict[str, float]]:
        states: dict[tuple[str, str], int] = {}
        ages: dict[str, float] = {}
        for queue in self.queues:
            row = await connection.fetchrow(queue.statements["depth"].text)
            assert row is not None
            states |= {(queue.name, state): row[state] for state in ("ready", "running", "dead")}
            ages[queue.name] = row["oldest_age_s"]
        return states, ages


def census_of(engine: Engine, emit: Callable[[Event], None]) -> Census:
    """Of a node's own jobs and queues, on a connection that nothing of its work waits for."""
    return Census(
        engine.census_link, lambda: engine.lease.incarnation, lambda: engine.lease.holds, lambda: engine.roster.jobs,
        tuple(engine.catalogue.queues.values()), emit, suite_gauges.load(engine.catalogue.packages),
    )  # fmt: skip
