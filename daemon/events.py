"""What happened, as values. The log and the metrics are two subscribers; neither is called by name elsewhere."""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime


class Event:
    """Base of everything that is announced."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Started(Event):
    version: str
    node: str
    jobs: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Draining(Event):
    signal: str
    running: int


@dataclass(frozen=True, slots=True)
class Stopped(Event):
    seconds: float


@dataclass(frozen=True, slots=True)
class Reloaded(Event):
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReloadRefused(Event):
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DatabaseLost(Event):
    error: str


@dataclass(frozen=True, slots=True)
class DatabaseBack(Event):
    seconds: float


@dataclass(frozen=True, slots=True)
class Migrated(Event):
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunStarted(Event):
    run: int
    job: str
    due_at: datetime
    lateness: float
    attempt: int
    trigger: str = "schedule"


@dataclass(frozen=True, slots=True)
class RunEnded(Event):
    """`outcome`: an ending, or retrying. `seconds` of this try; `written`: rows it committed, by kind of statement."""

    run: int
    job: str
    outcome: str
    seconds: float
    error: str | None = None
    traceback: str | None = None
    retry_in: float | None = None
    written: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunForsaken(Event):
    """A body that was told to end for ten seconds and did not: its end is recorded without it. `stack` is its own."""

    run: int
    job: str
    seconds: float
    stack: str


@dataclass(frozen=True, slots=True)
class RunGivenUp(Event):
    """A dead letter that nobody was performing any more: it took its node down once too often."""

    run: int
    job: str
    reason: str


@dataclass(frozen=True, slots=True)
class InstantsSettled(Event):
    """Due instants that will not run: `state` is skipped, missed or held; `count` of them in one row."""

    job: str
    state: str
    count: int
    due_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class ItemsFinished(Event):
    queue: str
    done: int
    failed: int
    dead: int
    postponed: int = 0


@dataclass(frozen=True, slots=True)
class ItemDied(Event):
    queue: str
    key: int
    error: str


@dataclass(frozen=True, slots=True)
class MessagesSettled(Event):
    """`state`: sent, failed, suppressed, unknown, or pending again."""

    channel: str
    state: str
    count: int


@dataclass(frozen=True, slots=True)
class MessageGivenUp(Event):
    """`state` is failed, or unknown: it may have arrived and is not sent twice. `suite` is empty for our own."""

    message: int
    channel: str
    suite: str
    template: str
    state: str
    error: str


@dataclass(frozen=True, slots=True)
class ChannelDown(Event):
    """Nothing is sent there until a probe finds it back; no message is to blame, and none is lost."""

    channel: str
    error: str
    probe_in: float


@dataclass(frozen=True, slots=True)
class ChannelBack(Event):
    channel: str
    seconds: float


@dataclass(frozen=True, slots=True)
class ChannelDisabled(Event):
    """The target told us to stop for good: its messages wait until somebody configures another."""

    channel: str
    error: str


@dataclass(frozen=True, slots=True)
class BackupMade(Event):
    """`verified`: it was restored into a scratch database and found equal."""

    name: str
    bytes: int
    verified: bool


@dataclass(frozen=True, slots=True)
class BackupFailed(Event):
    """None was made, or one that is there could not be verified."""

    error: str


@dataclass(frozen=True, slots=True)
class Rescued(Event):
    node: str
    runs: int
    items: int
    messages: int = 0


@dataclass(frozen=True, slots=True)
class LeaseLost(Event):
    reason: str


@dataclass(frozen=True, slots=True)
class ClockStepped(Event):
    seconds: float


@dataclass(frozen=True, slots=True)
class ClockBehind(Event):
    """Cron waits until the clock has passed what is already evaluated."""

    seconds: float


@dataclass(frozen=True, slots=True)
class LoopLagged(Event):
    seconds: float
    stack: str
    run: int | None


@dataclass(frozen=True, slots=True)
class ServiceFailed(Event):
    """A service of the supervisor raised and is started again after `retry_in` seconds."""

    service: str
    error: str
    traceback: str
    retry_in: float


@dataclass(frozen=True, slots=True)
class WorkerExited(Event):
    pid: int
    reason: str
    task: str


@dataclass(frozen=True, slots=True)
class WorkerSaid(Event):
    pid: int
    task: str
    line: str


@dataclass(frozen=True, slots=True)
class ListenLost(Event):
    reason: str


@dataclass(frozen=True, slots=True)
class HookAnswered(Event):
    """A call from outside to a suite's hook; `path` is one that the suite declares, so there are few."""

    suite: str
    path: str
    status: int


@dataclass(frozen=True, slots=True)
class Note(Event):
    """A line for people that no machine acts upon. `area` is its prefix: DATABASE, SCHEDULED, …"""

    area: str
    text: str
    warning: bool = False


Subscriber = Callable[[Event], None]


class Announcer:
    """Hands every event to every subscriber, in order, at once. Subscribers must not block or raise.

    Those named at the beginning can be called from any thread.
    """

    def __init__(self, *from_any_thread: Subscriber) -> None:
        self._from_any_thread = from_any_thread
        self._subscribers: list[Subscriber] = []

    def subscribe(self, subscriber: Subscriber) -> None:
        self._subscribers.append(subscriber)

    def __call__(self, event: Event) -> None:
        for subscriber in (*self._from_any_thread, *self._subscribers):
            subscriber(event)

    def beside(self, loop: AbstractEventLoop) -> Subscriber:
        """For another thread than the loop's: some hear at once, the others as soon as the loop goes on."""

        def announce(event: Event) -> None:
            for subscriber in self._from_any_thread:
                subscriber(event)
            for subscriber in self._subscribers:
                loop.call_soon_threadsafe(subscriber, event)

        return announce
