"""What becomes of the instants since a job was last evaluated: run, held, skipped or missed.

Every instant given to `plan` is accounted for by exactly one row of the plan.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from daemon.schedule import Instant

State = Literal["ready", "waiting", "held", "skipped", "missed"]

TOO_LATE = "too late"
_NONE_LATENESS = dt.timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class CatchUp:
    """`NONE`: only what is due now. `LATEST`: the newest stands for all. `EACH(limit)`: every one, in order.

    Prints as, and is parsed from, `none`, `latest` and `each 31`. `limit` is None for all but EACH.
    """

    kind: Literal["none", "latest", "each"]
    limit: int | None = None

    NONE: ClassVar["CatchUp"]
    LATEST: ClassVar["CatchUp"]

    def __post_init__(self) -> None:
        if (self.kind == "each") != (self.limit is not None):
            raise ValueError('only "each" has a limit, and it must have one')
        if self.limit is not None and self.limit < 1:
            raise ValueError(f"each {self.limit}: the limit must be at least 1")

    @classmethod
    def EACH(cls, limit: int) -> "CatchUp":  # noqa: N802  reads as one of the three policies
        return cls("each", limit)

    @property
    def is_each(self) -> bool:
        return self.kind == "each"

    @classmethod
    def parse(cls, text: str) -> "CatchUp":
        """The policy of `none`, `latest` or `each N`. ValueError otherwise."""
        match text.lower().split():
            case ["none"]:
                return cls.NONE
            case ["latest"]:
                return cls.LATEST
            case ["each", limit] if limit.isdecimal():
                return cls.EACH(int(limit))
        raise ValueError(f'catch-up "{text}" is not known; write none, latest or each N, such as each 31')

    def __str__(self) -> str:
        return self.kind if self.limit is None else f"{self.kind} {self.limit}"


@dataclass(frozen=True, slots=True)
class Gap:
    """This database came out of a backup: instants up to `until` may have been performed before it was lost."""

    until: dt.datetime
    reason: str


CatchUp.NONE = CatchUp("none")
CatchUp.LATEST = CatchUp("latest")


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """One row of the ledger to be: a single instant, or a span of `count` of them that share a fate.

    Times are UTC; `due_until` is the span's last instant, None when count is 1. `reason` is set unless the
    run is to start (`ready`, `waiting`).
    """

    due_at: dt.datetime
    due_until: dt.datetime | None
    count: int
    state: State
    reason: str | None
    note: str | None = None


def plan(
    instants: Sequence[Instant],
    policy: CatchUp,
    *,
    now: dt.datetime,
    max_lateness: dt.timedelta | None,
    paused_by: str | None,
    distrust: str | None,
    outstanding: int,
    initial: Literal["ready", "waiting"],
    stopped: str | None = None,
    gap: Gap | None = None,
) -> list[PlannedRun]:
    """The rows for the instants of one tick, ascending, all at or before `now`.

    `distrust` says why the clock is not believed (it leapt, a backup was restored): it holds EACH, because
    such a clock must not pay the future. `outstanding` counts the job's unsettled rows, which fill the limit
    of EACH. `initial` is the state of what is to run: `waiting` for a job with dependencies. `stopped` says why
    nothing of any job may begin: it weighs as a pause does. What would run and falls into `gap` is held.
    """
    if not instants:
        return []
    idle = stopped or _paused(paused_by)
    if policy.limit is not None:
        common = distrust or _backlog(len(instants) + outstanding, policy.limit)
        obstacles = [idle or _perhaps_done(one, gap) or common for one in instants]
        return [_span([one], "held" if o else initial, o) for one, o in zip(instants, obstacles, strict=True)]
    if idle is not None:
        return [_span(instants, "skipped", idle)]
    earlier, newest = instants[:-1], instants[-1]
    in_time = still_worth_running(newest.at, now, policy, max_lateness)
    doubt = _perhaps_done(newest, gap)
    last = _span([newest], "held" if doubt else initial, doubt)
    if policy == CatchUp.NONE:
        return _without_catching_up(earlier, newest, in_time, last)
    rows = [_span(earlier, "skipped", f"coalesced into the run due at {_utc(newest.at)}")] if earlier else []
    rows.append(last if in_time else _span([newest], "missed", TOO_LATE))
    return rows


def _without_catching_up(
    earlier: Sequence[Instant], newest: Instant, in_time: bool, last: PlannedRun
) -> list[PlannedRun]:
    if not in_time:
        return [_span([*earlier, newest], "missed", TOO_LATE)]
    reason = f"{TOO_LATE}: the run due at {_utc(newest.at)} is newer"
    missed = [_span(earlier, "missed", reason)] if earlier else []
    return [*missed, last]


def still_worth_running(
    due_at: dt.datetime, now: dt.datetime, policy: CatchUp, max_lateness: dt.timedelta | None
) -> bool:
    """Whether an instant may still start; asked at the tick, and again when the run is claimed.

    EACH is never too late: what is owed is owed. Otherwise lateness up to and including `max_lateness` is
    allowed, of which the default is 60 seconds for NONE and without bound for LATEST.
    """
    if policy.is_each:
        return True
    if max_lateness is None:
        if policy == CatchUp.LATEST:
            return True
        max_lateness = _NONE_LATENESS
    return now - due_at <= max_lateness


def _perhaps_done(instant: Instant, gap: Gap | None) -> str | None:
    return gap.reason if gap is not None and instant.at <= gap.until else None


def _paused(name: str | None) -> str | None:
    return None if name is None else f"paused by {name}"


def _backlog(size: int, limit: int) -> str | None:
    return f"backlog of {size} exceeds the limit of {limit}" if size > limit else None


def _span(instants: Sequence[Instant], state: State, reason: str | None) -> PlannedRun:
    first, last, count = instants[0], instants[-1], len(instants)
    if count == 1:
        return PlannedRun(first.at, None, 1, state, reason, first.note)
    return PlannedRun(first.at, last.at, count, state, reason)


def _utc(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat(sep=" ").replace("+00:00", " UTC")
