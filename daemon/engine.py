"""One node between the database and the job bodies: ticker, dispatcher, executor, lease and polls, as services."""

from __future__ import annotations

import asyncio
import logging
import os
import platform
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

import anyio
from anyio.abc import TaskGroup

from daemon import ledger
from daemon.backup.lender import BackupLender
from daemon.cancellations import Cancellations
from daemon.catalogue import Catalogue
from daemon.channels import configured
from daemon.channels.channel import Channel
from daemon.clock import DatabaseClock
from daemon.connections import JobConnections
from daemon.context import RunContext
from daemon.database import DatabaseDown, Link, Outage, watch_outage
from daemon.delivery_letters import letters_of
from daemon.delivery_office import PostOffice
from daemon.delivery_store import DeliveryStore
from daemon.dispatcher import Dispatcher
from daemon.emergency import Brake
from daemon.events import Announcer, DatabaseBack, Event, RunEnded
from daemon.executor import Executor
from daemon.facilities import Facilities
from daemon.housekeeping import Housekeeper
from daemon.lease import NodeLease
from daemon.leash import URGENT
from daemon.listen import Listener
from daemon.outcome import Ending, Outcome
from daemon.polls import PollLoop, next_due
from daemon.pool import Pool
from daemon.recorder import Recorder
from daemon.roster import Roster
from daemon.run_log import LOGGER, RunLog
from daemon.settings import Settings
from daemon.slots import Slots
from daemon.strays import Strays
from daemon.supervisor import Service, first_of, run_for_ever
from daemon.ticker import Ticker
from daemon.version import VERSION

RECORD_PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Urls:
    """`direct` bypasses a transaction pooler: LISTEN and migrations need a session of their own."""

    url: str
    direct: str


class Engine:
    """Made in one piece, then `start`, `serve`, `drain`, `close`. Knows nothing of signals, systemd or HTTP."""

    def __init__(
        self, settings: Settings, catalogue: Catalogue, urls: Urls, pool: Pool, emit: Announcer, place: str,
        channels: Callable[[], Mapping[str, Channel]] | None = None,
    ) -> None:  # fmt: skip
        self.settings, self.catalogue, self.pool, self.emit, self.urls = settings, catalogue, pool, emit, urls
        self.claiming = self.pool_alive = True
        self._loop: asyncio.AbstractEventLoop | None = None
        self.outage = Outage(emit)
        self.clock = DatabaseClock()
        self.roster = Roster(catalogue, emit)
        self.slots = Slots(settings.node.slots, settings.database.pool)
        self.holdings: dict[str, set[int]] = {}
        self.services: dict[str, Service] = {}
        self._connect(urls)
        self._take_identity(place)
        self._open_post_office(channels or (lambda: configured(settings)))
        self._assemble(urls)
        emit.subscribe(self._on_event)

    def _connect(self, urls: Urls) -> None:
        node, database, cache = self.settings.node, self.settings.database, self.settings.database.statement_cache

        def link(part: str) -> Link:
            return Link(lambda: urls.url, self._application(part), self.outage, statement_cache=cache)

        self.link, self.heart, self._mail_link = link("engine"), link("lease"), link("outbox")
        self.census_link = link("metrics")
        self.hook_link = Link(lambda: urls.direct, self._application("hooks"), self.outage, statement_cache=cache)
        self.recorder = Recorder(self.link)
        self.connections = JobConnections(
            lambda: urls.url, self._application("job"), self.outage, size=database.pool,
            lease=node.lease.total_seconds(), statement_cache=cache,
        )  # fmt: skip

    def _take_identity(self, place: str) -> None:
        host = platform.node() or "localhost"
        self.lease = NodeLease(
            link=self.heart,
            name=self.settings.node.name or host,
            home=f"{host}:{os.getuid()}:{place}",
            version=VERSION,
            lease=self.settings.node.lease.total_seconds(),
            emit=self.emit,
            learn_clock=self._learn_clock,
            stop_work=self._stop_work,
            renamed=self._renew_connections,
        )

    def _open_post_office(self, channels: Callable[[], Mapping[str, Channel]]) -> None:
        self.letters = letters_of(self.catalogue.packages, self.settings)
        self.post = PostOffice(
            channels, DeliveryStore(self._mail_link, self._node), self.letters, self.settings.outbox, self.outage,
            claiming=lambda: self.claiming and self.roster.stopped is None, holds_lease=lambda: self.lease.holds,
            now=self.clock.now, emit=self.emit,
        )  # fmt: skip

    def _assemble(self, urls: Urls) -> None:
        self.executor = Executor(
            self.roster, self.slots, self.recorder, lambda run: RunContext(run, self._facilities), self.clock.now,
            self.emit, freed=lambda: self.wake("dispatcher") if self.claiming else None,
        )  # fmt: skip
        self.ticker = Ticker(
            self.link, self.clock, self.roster, self._node, self.emit,
            free_slots=lambda: self.slots.free if self.may_claim else 0,
            start=self.executor.start, ready=lambda: self.wake("dispatcher"),
        )  # fmt: skip
        self.dispatcher = Dispatcher(
            self.link, self.roster, self.slots, self._node, self.clock.now, self.emit, self.executor.start,
            lambda: self.may_claim,
        )  # fmt: skip
        self.run_log = RunLog(self.link, self.clock.now, lambda: self.wake("run log"))
        self.listener = Listener(lambda: urls.direct, self._application("listen"), self.outage, self._hear, self.emit)
        self.brake = Brake(self.link, self.roster, self._busy, self._cancel_all, self._wake_all, self.emit)
        self._facilities = Facilities(
            connections=self.connections, link=self.link, outage=self.outage, now=self.clock.now, node=self._node,
            compute=self.pool.compute, free_workers=lambda: self.pool.free, pool_size=self.settings.pool.size,
            settings=self.catalogue.settings, announce=self.emit, opened=self.executor.opened, holdings=self.holdings,
            retry_base=self.settings.queues.retry_delay.total_seconds(), claiming=lambda: self.may_claim,
            missing_template=self.letters.missing,
            backups=BackupLender(self.settings, urls.direct, self._application("backup"), self.emit),
        )  # fmt: skip
        self.strays = Strays(
            self.link, self._node, lambda: self.executor.active, self.catalogue.queues, self.holdings,
            found=lambda: self.wake("dispatcher", *(f"poll {job.name}" for job in self.roster.polls)),
        )  # fmt: skip

    def _application(self, part: str) -> Callable[[], str]:
        return lambda: f"sexton {part} {self.lease.incarnation}"

    def _node(self) -> UUID:
        return self.lease.incarnation

    async def start(self) -> None:
        """Take the lease, rescue what an earlier life left here, read every job's row. Raises `DatabaseDown`."""
        self._loop = asyncio.get_running_loop()
        await self.lease.register(list(self.catalogue.queues.values()))
        await self.ticker.read_clock()
        await self.brake.step()
        await self.ticker.learn_jobs()
        self.ticker.forget()
        logging.getLogger(LOGGER).addHandler(self.run_log)

    def serve(self, services: TaskGroup, runs: TaskGroup) -> None:
        """Start the services in one task group; runs become tasks of the other."""
        self.executor.tasks = runs
        self._add("ticker", self.ticker.step)
        self._add("dispatcher", self.dispatcher.step)
        self._add("recorder", self.recorder.serve)
        self._add("lease", self.lease.step)
        self._add("listener", self.listener.step)
        self._add("cancellations", Cancellations(self.link, self._node, self.executor.active).step)
        self._add("emergency brake", self.brake.step)
        self._add("strays", self.strays.step)
        self._add("housekeeping", Housekeeper(self.link, self.roster, self.emit, self.settings.outbox.retention).step)
        self._add("run log", self.run_log.step)
        for job in self.roster.polls:
            due = partial(next_due, self.link, self.catalogue.queues)
            poll = PollLoop(job.name, self.roster, self.executor, lambda: self.may_claim, due)
            self._add(f"poll {job.name}", poll.step)
        for service in self.services.values():
            services.start_soon(run_for_ever, service, self.outage, self.emit, name=service.name)
        self.post.serve(services)
        services.start_soon(watch_outage, self.heart, self.outage, ledger.CLOCK, name="outage")
        services.start_soon(self.lease.fence_when_due, name="fence")

    def _add(self, name: str, step: Callable[[], Awaitable[float]]) -> None:
        self.services[name] = Service(name, step)

    @property
    def may_claim(self) -> bool:
        """Not while draining or stopped, and not without a lease: somebody else may be taking our work over."""
        return self.claiming and self.lease.holds and self.roster.stopped is None

    @property
    def last_answer(self) -> float:
        """When the database last answered anything of ours, on the monotonic clock."""
        return max(self.link.answered, self.heart.answered)

    def current_run(self) -> int | None:
        """The run whose task holds the event loop at this moment. Called from the monitor's thread."""
        task = asyncio.current_task(self._loop) if self._loop else None
        return self.executor.run_of(task) if task is not None else None

    def wake(self, *names: str) -> None:
        for name in names:
            if name in self.services:
                self.services[name].pulse.beat()

    def _busy(self) -> bool:
        return bool(self.executor.active) or self.post.busy

    def _wake_all(self) -> None:
        self.brake.suspected = True
        self.wake(*self.services)
        self.post.wake()

    async def drain(self, patience: float, hurry: anyio.Event) -> bool:
        """Stop claiming and let running work finish, for so long or until told to hurry. True if all did."""
        self.claiming = False
        self.post.finish()
        with anyio.move_on_after(patience):
            await first_of(self._idle, hurry.wait)
        return not self._busy()

    async def _idle(self) -> None:
        await self.executor.idle()
        await self.post.idle()

    async def interrupt(self, reason: str) -> None:
        """Stop what is still running, at no cost to it, and wait until the ledger knows."""
        self.claiming = False
        self._stop_work(reason)
        with anyio.move_on_after(RECORD_PATIENCE):
            await self._idle()

    async def close(self) -> None:
        """Leave in good order: nothing stays in our name, the lease is given up, connections are closed."""
        await self.post.close()
        if not self.outage.known:
            try:
                with anyio.move_on_after(2):
                    await self.strays.give_back(everything=True)
                    await self.lease.retire("stopped")
            except DatabaseDown:
                pass  # it went away this moment: the lease expires by itself
        logging.getLogger(LOGGER).removeHandler(self.run_log)
        await self.listener.close()
        await self.connections.close()
        for link in (self.link, self.heart, self.census_link, self.hook_link):
            await link.close()

    def _learn_clock(self, answer: datetime, took: float) -> None:
        if self.ticker.learn_clock(answer, took):
            self.wake("ticker")

    def _stop_work(self, reason: str) -> None:
        self.executor.interrupt_all(Outcome(Ending.INTERRUPTED, reason=reason))
        self.post.stop()

    def _cancel_all(self, reason: str) -> None:
        self.executor.interrupt_all(Outcome(Ending.CANCELLED, reason=reason), URGENT)
        self.post.give_back()

    async def _renew_connections(self) -> None:
        """They are named for the incarnation, so that whoever rescues it can end its sessions."""
        for link in (self.link, self.heart, self._mail_link, self.census_link, self.hook_link):
            link.renew()
        await self.connections.renew()

    def _on_event(self, event: Event) -> None:
        if isinstance(event, RunEnded):
            self.run_log.forget(event.run)
        elif isinstance(event, DatabaseBack):
            self.ticker.forget()
            self.strays.suspected = True
            self._wake_all()

    def _hear(self, payload: str) -> None:
        kind, _, rest = payload.partition(":")
        if kind == "reconnected":
            self.ticker.forget()
        if kind in ("reconnected", "emergency"):
            self._wake_all()
        elif kind == "outbox":
            self.post.wake()
        elif kind == "job":
            self.ticker.forget({rest} if rest else None)
            self.wake("ticker", "dispatcher")
        elif kind == "queue":
            self.wake(*(f"poll {job.name}" for job in self.roster.polls_of(rest)))
        elif kind == "cancel":
            self.wake("cancellations")
        else:
            self.wake("dispatcher")
