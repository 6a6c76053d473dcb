"""Everything that delivers messages on one node: a deliverer a channel, their results, and what engine asks of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from anyio.abc import TaskGroup

from daemon import zones
from daemon.channel_settings import OutboxSettings
from daemon.channels.channel import Channel
from daemon.database import DatabaseDown, Outage
from daemon.delivery import Deliverer, Renders
from daemon.delivery_people import PageReader
from daemon.delivery_results import Results
from daemon.delivery_store import DeliveryStore
from daemon.events import Event
from daemon.quiet_hours import QuietHours
from daemon.retry import RetryPolicy
from daemon.supervisor import Service, run_for_ever

TIDY_EVERY = 60.0
LOOK_AGAIN = 0.1


@dataclass
class PostOffice:
    """Without a channel it does nothing: messages are kept and shown. `claiming` is false while leaving."""

    channels: Callable[[], Mapping[str, Channel]]
    store: DeliveryStore
    letters: Renders
    settings: OutboxSettings
    outage: Outage
    claiming: Callable[[], bool]
    holds_lease: Callable[[], bool]
    now: Callable[[], datetime]
    emit: Callable[[Event], None]
    results: Results = field(init=False)
    deliverers: dict[str, Deliverer] = field(init=False, default_factory=dict)
    services: dict[str, Service] = field(init=False, default_factory=dict)
    _opened: bool = False

    def __post_init__(self) -> None:
        self.results = Results(
            self.store, self.emit,
            beat=lambda: self._beat("message results"), returned=lambda channel: self._beat(f"delivery {channel}"),
        )  # fmt: skip
        self.services["message results"] = Service("message results", self.results.step)
        self.services["message strays"] = Service("message strays", self._tidy)

    def _deliverer(self, channel: Channel) -> Deliverer:
        settings = self.settings
        policy = RetryPolicy(settings.max_attempts - 1, settings.retry_base)
        quiet, home = QuietHours(settings.quiet_start, settings.quiet_end), zones.zone(settings.timezone)
        return Deliverer(
            channel=channel, store=self.store, results=self.results, letters=self.letters, policy=policy,
            pages=PageReader(self.store, policy, quiet, home, self.now), now=self.now, emit=self.emit,
            may_claim=lambda: self.claiming() and self.holds_lease(),
            may_send=lambda: self.holds_lease() and not self.outage.known,
            beat=lambda: self._beat(f"delivery {channel.name}"),
        )  # fmt: skip

    def serve(self, tasks: TaskGroup) -> None:
        """Make the channels and start everything, if there is one to send by."""
        for name, channel in self.channels().items():
            self.deliverers[name] = deliverer = self._deliverer(channel)
            self.services[f"delivery {name}"] = Service(f"delivery {name}", deliverer.step)
        if not self.deliverers:
            return
        for service in self.services.values():
            tasks.start_soon(run_for_ever, service, self.outage, self.emit, name=service.name)
        for name, deliverer in self.deliverers.items():
            for number in range(deliverer.channel.concurrency):
                lane = Service(f"{name} lane {number}", deliverer.turn)
                tasks.start_soon(run_for_ever, lane, self.outage, self.emit, name=lane.name)

    def wake(self) -> None:
        for name in self.services:
            self._beat(name)

    def _beat(self, name: str) -> None:
        self.services[name].pulse.beat()

    async def _tidy(self) -> float:
        """What a lost answer left in our name goes back. A start also tries again what had been disabled."""
        if not self._opened:
            await self.store.enable(list(self.deliverers))
            self._opened = True
            self.wake()
        await self.store.release_strays()
        return TIDY_EVERY

    @property
    def busy(self) -> bool:
        """Something is being sent, or was and is not written though it could be."""
        if any(deliverer.busy for deliverer in self.deliverers.values()):
            return True
        return bool(self.results.unwritten) and not self.outage.known

    async def idle(self) -> None:
        while self.busy:
            await self.results.written(LOOK_AGAIN)

    def finish(self) -> None:
        """We are leaving: what is being sent may end, what was not begun goes back, results are written at once."""
        self.results.hurry = True
        self.give_back()
        self._beat("message results")

    def give_back(self) -> None:
        """What was claimed and is not being sent yet goes back."""
        for deliverer in self.deliverers.values():
            deliverer.give_back()

    def stop(self) -> None:
        """Cut short what is being sent: we leave now, or others may be taking it over."""
        for deliverer in self.deliverers.values():
            deliverer.stop()

    async def close(self) -> None:
        """Nothing stays in our name. Connections are closed; a database that is away is left alone."""
        for deliverer in self.deliverers.values():
            await deliverer.channel.aclose()
        if self.deliverers and not self.outage.known:
            with suppress(DatabaseDown):  # it went away this moment: our death is seen, and they are rescued
                await self.store.abandon(self.results.unwritten)
        await self.store.link.close()
