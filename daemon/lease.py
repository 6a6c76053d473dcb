"""Lease the node, token the run: one narrow row is renewed; a node that stops renewing stops working first.

The deadline is counted from before the last renewal was sent, on CLOCK_BOOTTIME, less a margin: this node
stops its own work before anyone may give that work away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

import asyncpg

from daemon import sql
from daemon.clock import boottime
from daemon.database import Link
from daemon.delivery_store import RESCUE as RESCUE_MESSAGES
from daemon.delivery_store import SENDING_FOR_THE_DEAD
from daemon.events import Event, ItemDied, LeaseLost, MessageGivenUp, Rescued, RunGivenUp
from daemon.queue import MAX_RESCUES, WorkQueue

(
    REGISTER, RENEW, PREDECESSORS, BURY, RESCUE_RUNS, QUEUES, REGISTER_QUEUES, TERMINATE_SESSIONS, RETIRE,
    PUBLISH_STATUS, RUNNING_FOR_THE_DEAD,
) = sql.load(
    __file__, "register", "renew", "predecessors", "bury", "rescue_runs", "queues", "register_queues",
    "terminate_sessions", "retire", "publish_status", "running_for_the_dead",
)  # fmt: skip

MARGIN = 0.2
RENEWALS_PER_LEASE = 3


@dataclass(frozen=True, slots=True)
class Watched:
    """Another node's lease, and since when on our own clock it has not moved."""

    lease_until: datetime
    since: float


@dataclass
class NodeLease:
    """This node's identity and lease. `incarnation` changes when a lost lease makes it a new node."""

    link: Link
    name: str
    home: str
    version: str
    lease: float
    emit: Callable[[Event], None]
    learn_clock: Callable[[datetime, float], object]
    stop_work: Callable[[str], None]
    renamed: Callable[[], Awaitable[object]]
    incarnation: UUID = field(default_factory=uuid4)
    deadline: float = 0.0
    renewals: int = 0
    _watched: dict[UUID, Watched] = field(default_factory=dict)
    _expired: bool = False

    @property
    def holds(self) -> bool:
        return boottime() < self.deadline

    async def register(self, queues: list[WorkQueue]) -> None:
        """Become known, and take back at once what an earlier life of this same place left behind."""
        sent = boottime()
        await self.link.fetch(REGISTER, self.incarnation, self.name, self.home, self.version, self.lease)
        self.deadline = sent + self.lease * (1 - MARGIN)
        self._expired = False
        if queues:
            await self.link.fetch(REGISTER_QUEUES, [q.name for q in queues], [q.key for q in queues])
        for row in await self.link.fetch(PREDECESSORS, self.home, self.incarnation):
            await self.rescue(row["incarnation"], row["name"], "restarted", even_if_alive=True)
        await self._rescue_latecomers()

    async def step(self) -> float:
        """Renew, learn the clock, watch the others. Raises `DatabaseDown`."""
        sent = boottime()
        rows = await self.link.fetch(RENEW, self.incarnation, self.lease)
        self.learn_clock(rows[0]["now"], boottime() - sent)
        if rows[0]["renewed"]:
            self.deadline, self._expired = sent + self.lease * (1 - MARGIN), False
            self.renewals += 1
        else:
            await self._begin_again("another node took over")
        for row in rows:
            if row["incarnation"] is not None and self._abandoned(
                row["incarnation"], row["lease_until"], rows[0]["now"]
            ):
                await self.rescue(row["incarnation"], row["name"], "lease expired", even_if_alive=False)
        alive = {row["incarnation"] for row in rows}
        self._watched = {k: v for k, v in self._watched.items() if k in alive}
        if self.renewals % RENEWALS_PER_LEASE == 0:
            await self._rescue_latecomers()
        return self.lease / RENEWALS_PER_LEASE

    async def fence_when_due(self) -> None:
        """Runs beside `step`, which may hang: when the deadline passes without a renewal, stop our own work."""
        while True:
            left = self.deadline - boottime()
            if left > 0:
                await asyncio.sleep(left)
            elif not self._expired:
                self._expired = True
                self.emit(LeaseLost("not renewed in time"))
                self.stop_work("the lease could not be renewed in time")
            else:
                await asyncio.sleep(self.lease * MARGIN)

    def _abandoned(self, node: UUID, lease_until: datetime, now: datetime) -> bool:
        """Watched unchanged for a whole lease on our own clock, and expired by the database's."""
        seen = self._watched.get(node)
        if seen is None or seen.lease_until != lease_until:
            self._watched[node] = Watched(lease_until, boottime())
            return False
        return boottime() - seen.since >= self.lease and lease_until < now

    async def _begin_again(self, reason: str) -> None:
        self.emit(LeaseLost(reason))
        self.stop_work(reason)
        self.incarnation = uuid4()
        await self.renamed()
        await self.register([])

    async def rescue(self, node: UUID, name: str, reason: str, *, even_if_alive: bool) -> None:
        """Bury a node and, in the same transaction, give its runs and items new tokens.

        Its sessions are ended before, for one that froze in the middle of a COPY would hold its rows for ever; and
        afterwards, for those that it has begun meanwhile.
        """
        async with self.link.held() as connection:
            async with connection.transaction():
                if not await connection.fetch(BURY.text, node, reason, even_if_alive):
                    return  # somebody else was first, or it lives after all
                await connection.fetch(TERMINATE_SESSIONS.text, str(node))
                work = await _rescue_work(connection, node)
            await connection.fetch(TERMINATE_SESSIONS.text, str(node))
        self._announce(name, work)

    async def _rescue_latecomers(self) -> None:
        """A claim may commit after its node was buried or had left: nothing runs in a dead node's name for long."""
        found: list[tuple[str, RescuedWork]] = []
        async with self.link.held() as connection:
            late = {row["node"]: row["name"] for row in await connection.fetch(RUNNING_FOR_THE_DEAD.text)}
            late |= {row["node"]: row["name"] for row in await connection.fetch(SENDING_FOR_THE_DEAD.text)}
            for queue in await _queues(connection):
                rows = await connection.fetch(queue.statements["running_for_the_dead"].text)
                late |= {row["node"]: row["name"] for row in rows}
            for node, name in late.items():
                async with connection.transaction():
                    found.append((name, await _rescue_work(connection, node)))
        for name, work in found:
            if work.runs or work.items or work.messages:
                self._announce(name, work)

    def _announce(self, name: str, work: RescuedWork) -> None:
        self.emit(Rescued(name, work.runs, work.items, work.messages))
        for event in work.given_up:
            self.emit(event)

    async def retire(self, reason: str) -> None:
        """Leave in good order: nothing to rescue, nobody to wait for."""
        await self.link.fetch(RETIRE, self.incarnation, reason)

    async def publish(self, status: str) -> None:
        await self.link.fetch(PUBLISH_STATUS, self.incarnation, status)


@dataclass(frozen=True, slots=True)
class RescuedWork:
    """How much was taken over, and what was not: it has taken its node down once too often."""

    runs: int
    items: int
    messages: int
    given_up: list[Event]


async def _rescue_work(connection: asyncpg.Connection, node: UUID) -> RescuedWork:
    """New tokens for all that runs in this node's name, and word of it to whoever may take it on, with the COMMIT."""
    runs = await connection.fetch(RESCUE_RUNS.text, node, MAX_RESCUES)
    given_up: list[Event] = [RunGivenUp(r["id"], r["job"], r["reason"]) for r in runs if r["state"] == "failed"]
    news, items = ["ready"], 0
    for queue in await _queues(connection):
        rescued = await connection.fetch(queue.statements["rescue"].text, node, MAX_RESCUES)
        given_up += [ItemDied(queue.name, r["key"], r["last_error"]) for r in rescued if r["state"] == "DEAD"]
        items += len(rescued)
        news += [f"queue:{queue.name}"] if rescued else []
    messages = await connection.fetch(RESCUE_MESSAGES.text, node, [])
    news += ["outbox"] if messages else []
    given_up += [_uncertain(row) for row in messages if row["state"] == "unknown"]
    await connection.execute("SELECT pg_notify('sexton', news) FROM unnest($1::text[]) AS n (news)", news)
    return RescuedWork(len(runs), items, len(messages), given_up)


def _uncertain(row: asyncpg.Record) -> MessageGivenUp:
    return MessageGivenUp(row["id"], row["channel"], row["suite"], row["template"], "unknown", row["last_error"])


async def _queues(connection: asyncpg.Connection) -> list[WorkQueue]:
    return [WorkQueue(row["name"], row["key"]) for row in await connection.fetch(QUEUES.text)]
