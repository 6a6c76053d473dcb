"""What a suite says about its work: jobs as frozen values, and the context a body receives.

No I/O is imported here, so that worker processes and tests can import suites cheaply.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from daemon import job_options
from daemon.catchup import CatchUp
from daemon.jsonable import to_json
from daemon.retry import Priority
from daemon.schedule import Cron, Every, OnDemand, Schedule, phased

if TYPE_CHECKING:
    import logging

    import httpx

    from daemon.backup.record import Backups
    from daemon.command import Finished
    from daemon.queue import QueueItem, WorkQueue
    from daemon.transaction import Reader, Transaction

Body = Callable[["Context"], Awaitable[object]]


class Held(Exception):
    """Raised by a body that must not decide alone: its run is `held` with this reason, at no cost, and nothing of an
    open transaction stays. Released by a person, it runs again and `ctx.released()` says so.

    `grants`: what a release allows, by name, as `ctx.granted()` then gives it: what the person was asked about, and
    no more. The reason should say it. Raises `TypeError` or `ValueError` for what JSON cannot say.
    """

    def __init__(self, reason: str, *, grants: Mapping[str, Any] | None = None) -> None:
        super().__init__(reason)
        self.grants = None if grants is None else to_json(grants)


def seconds(n: float) -> timedelta:
    return timedelta(seconds=n)


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)


def hours(n: float) -> timedelta:
    return timedelta(hours=n)


def days(n: float) -> timedelta:
    return timedelta(days=n)


class Overlap(StrEnum):
    """What happens to a run that is due while an earlier run of its job is still going."""

    SKIP = "skip"
    QUEUE = "queue"
    ALLOW = "allow"


@dataclass(frozen=True, slots=True)
class Poll:
    """A loop on every node: woken by its queue's NOTIFY, and every `every` seconds of monotonic time as the floor."""

    every: timedelta
    wake: str | None = None


@dataclass(frozen=True, slots=True)
class OnEvent:
    """Runs once for each row of `sexton.event` of this kind."""

    kind: str


Trigger = Schedule | Poll | OnEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job as its file declares it; configuration and overrides are laid over it by the catalogue.

    `name` is the path (`flights.invoice_overdue`). `retries` None means the priority's own number.
    `expected` is the usual duration; a run that takes longer fires an alert of `monitoring/`. `connections` is how many
    database connections a run may hold at once. `dry_run` answers `sexton run-job --dry-run`: given a context that can
    only read, it returns what a run would do.
    """

    name: str
    body: Body = field(repr=False)
    trigger: Trigger
    priority: Priority = Priority.MEDIUM
    timeout: timedelta = timedelta(minutes=5)
    retries: int | None = None
    retry_delay: timedelta = timedelta(seconds=30)
    catch_up: CatchUp = CatchUp.LATEST
    max_lateness: timedelta | None = None
    overlap: Overlap = Overlap.SKIP
    requires: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    dependency_timeout: timedelta = timedelta(hours=6)
    connections: int = 1
    business_day_offset: int = 0
    sensitive: bool = False
    expected: timedelta | None = None
    retention: timedelta = timedelta(days=90)
    aliases: tuple[str, ...] = ()
    enabled: bool = True
    dry_run: Body | None = field(default=None, repr=False)

    @property
    def suite(self) -> str:
        return self.name.partition(".")[0]

    @property
    def summary(self) -> str:
        return (self.body.__doc__ or "").strip().partition("\n")[0]


def job(trigger: Cron | Every | OnDemand, **options: Any) -> Callable[[Body], Job]:
    """Declare the decorated coroutine function as a job; options are `Job`'s fields. Raises `TypeError`."""
    if not isinstance(trigger, Cron | Every | OnDemand):
        raise TypeError(f'@job({trigger!r}): write when it is due, as in @job(Cron("0 6 * * *"))')
    return lambda body: _declare(body, trigger, options)


def poll(every: timedelta, *, wake: WorkQueue | str | None = None, **options: Any) -> Callable[[Body], Job]:
    """Declare a polling loop. Polls of several nodes run side by side: their queue keeps them apart."""
    if not job_options.is_duration(every):
        raise TypeError(f"@poll({every!r}): write {job_options.DURATION}")
    channel = wake if isinstance(wake, str) or wake is None else wake.name
    options.setdefault("overlap", Overlap.ALLOW)
    options.setdefault("catch_up", CatchUp.NONE)
    return lambda body: _declare(body, Poll(every, channel), options)


def on(kind: str, **options: Any) -> Callable[[Body], Job]:
    """Declare a handler of events of one kind; `ctx.args` is {event (its id), kind, payload}."""
    options.setdefault("overlap", Overlap.ALLOW)
    return lambda body: _declare(body, OnEvent(kind), options)


def _declare(body: Body, trigger: Trigger, options: dict[str, Any]) -> Job:
    """The name is the path: the last two parts of the module that holds the body. Raises `TypeError`."""
    job_options.refuse(options)
    name = ".".join(body.__module__.split(".")[-2:])
    if isinstance(trigger, Every):
        trigger = phased(trigger, name)
    return Job(name=name, body=body, trigger=trigger, **options)


@dataclass(frozen=True, slots=True)
class Drained:
    """What one commit of a drain did: items done, failed for now, given up; `results` of those done.

    `postponed` ones went back at no cost: what they need is away for now.
    """

    done: int = 0
    failed: int = 0
    dead: int = 0
    results: Sequence[Any] = ()
    postponed: int = 0


class Context(Protocol):
    """All that a job body can reach."""

    @property
    def run_id(self) -> int: ...
    @property
    def due_at(self) -> datetime:
        """The due instant, in the job's zone."""
        ...

    @property
    def logical_date(self) -> date:
        """The local date of the due instant, never shifted; dependencies match on it."""
        ...

    @property
    def business_date(self) -> date:
        """`logical_date` less the job's `business_day_offset`: the day the work is about."""
        ...

    @property
    def attempt(self) -> int: ...
    @property
    def args(self) -> Mapping[str, Any]: ...
    @property
    def cursor(self) -> Any:
        """Where the last committed batch of an earlier try ended; None at the beginning."""
        ...

    @property
    def settings(self) -> Any:
        """This suite's own settings (`workers/<suite>/settings.py`, class `Settings`)."""
        ...

    @property
    def log(self) -> logging.LoggerAdapter[Any]: ...
    @property
    def free_workers(self) -> int: ...

    def now(self) -> datetime:
        """The database's clock, UTC, as this node last learned it."""
        ...

    async def released(self) -> bool:
        """Whether an earlier try of this run ended as `Held`, so that a person has let it go on."""
        ...

    async def granted(self) -> Mapping[str, Any]:
        """What persons have allowed this run by releasing it: the `grants` of each `Held`, of one name the latest."""
        ...

    def transaction(self, *, cursor: object = ...) -> AbstractAsyncContextManager[Transaction]:
        """One batch. The cursor must move, so that a resumed run never repeats a committed batch."""
        ...

    def completing(self) -> AbstractAsyncContextManager[Transaction]:
        """The last or only transaction: success is recorded by the same COMMIT."""
        ...

    def snapshot(self) -> AbstractAsyncContextManager[Reader]:
        """REPEATABLE READ, READ ONLY: several statements that see one state."""
        ...

    def autocommit(self) -> AbstractAsyncContextManager[Reader]:
        """For VACUUM and its like, which refuse a transaction. Nothing here is fenced."""
        ...

    async def progress(self, done: float, total: float | None = None) -> None: ...

    async def compute(self, fn: Callable[..., Any], *args: Any, timeout: timedelta | None = None) -> Any:
        """Run an importable function in a worker process and await its value."""
        ...

    async def command(
        self,
        arguments: Sequence[str],
        *,
        timeout: timedelta | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Finished:
        """Run a program to its end; see `daemon.command.run_command`."""
        ...

    @property
    def backups(self) -> Backups:
        """Backups of the whole database; see `daemon.backup.record.Backups`."""
        ...

    @property
    def http(self) -> httpx.AsyncClient:
        """A client with timeouts, closed with the run."""
        ...

    def drain(
        self,
        queue: WorkQueue,
        perform: Callable[[QueueItem], Awaitable[Any]],
        save: Callable[[Any, Sequence[tuple[QueueItem, Any]]], Awaitable[object]],
        *,
        timeout: timedelta | None = None,
        save_failures: Callable[[Any, Sequence[tuple[QueueItem, str]]], Awaitable[object]] | None = None,
    ) -> AsyncIterator[Drained]:
        """Work the queue until it is empty; yields after each commit what that commit did.

        `perform(item)` is awaited for as many items at once as there are workers. `save(transaction, pairs)`
        writes many items' values in one fenced transaction: `pairs` are (item, value), sorted by key, and only
        those still ours; their queue rows are taken off in the same COMMIT. What raises costs only its own item,
        and `Postponed` not even that.
        """
        ...
