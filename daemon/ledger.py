"""The engine's tables as dataclasses, and every statement on them. No rule is decided here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from asyncpg import Connection, Record

from daemon import sql
from daemon.catchup import Gap
from daemon.database import Link
from daemon.job import Job, OnEvent
from daemon.jsonable import storable, to_json

(
    CLOCK, KNOWN_JOBS, INTRODUCE_JOBS, UNSETTLED, TICK, CLAIM, NEXT_READY, FINISH, FENCE, FENCE_ONLY, COMPLETE,
    READ_BACK, ENDED_BY, OPEN_RUN, WAITING, DEPENDENCY_OUTCOMES, SETTLE_WAITING, DISPATCH_EVENTS, CANCEL_REQUESTS,
    APPEND_LOG, RELEASE_STRAYS, RESTORED,
) = sql.load(
    __file__, "clock", "known_jobs", "introduce_jobs", "unsettled", "tick", "claim", "next_ready", "finish", "fence",
    "fence_only", "complete", "read_back", "ended_by", "open_run", "waiting", "dependency_outcomes", "settle_waiting",
    "dispatch_events", "cancel_requests", "append_log", "release_strays",
    "restored",
)  # fmt: skip
MOST_RESULT = 1_000_000


@dataclass(frozen=True, slots=True)
class KnownJob:
    """What the database says of a job: `evaluated_until` is the watermark, `revision` moves with each change."""

    name: str
    fingerprint: str
    evaluated_until: datetime
    revision: int
    paused_by: str | None
    overrides: Mapping[str, Any]


@dataclass(slots=True)
class Claimed:
    """A run that is ours to perform, for as long as the row carries `token`.

    Never changed. It is not frozen because that takes four times as long to make, for every run of a burst; the same
    goes for `Finish` and for `daemon.outcome.Outcome`.
    """

    id: int
    job: str
    due_at: datetime
    logical_date: date
    token: int
    started_at: datetime
    trigger: str = "schedule"
    due_until: datetime | None = None
    count: int = 1
    attempt: int = 1
    failures: int = 0
    rescues: int = 0
    args: Mapping[str, Any] = field(default_factory=dict)
    cursor: Any = None


@dataclass(frozen=True, slots=True)
class Settled:
    """Due instants that did not become a running run: skipped, missed, held or waiting, with the reason."""

    id: int
    job: str
    due_at: datetime
    state: str
    reason: str | None
    count: int = 1


@dataclass(frozen=True, slots=True)
class TickedJob:
    """One due job of a tick: what was known, what becomes of it, up to where it is evaluated."""

    known: KnownJob
    fingerprint: str
    until: datetime


@dataclass(frozen=True, slots=True)
class NewRun:
    """A row the tick is to insert; `claim` asks to start it in the same statement."""

    job: str
    due_at: datetime
    due_until: datetime | None
    count: int
    logical_date: date
    logical_until: date | None
    state: str
    reason: str | None
    priority: int
    strict: bool
    daily: bool
    note: str | None
    claim: bool


@dataclass(slots=True)
class Finish:
    """How one try ended, as the ledger is to keep it. `outcome` None: nothing worth an attempt row."""

    id: int
    token: int
    state: str
    failures: int
    reason: str | None = None
    result: str | None = None
    error: str | None = None
    retry_in: float = 0.0
    outcome: str | None = None
    traceback: str | None = None
    grants: str | None = None


def handler_columns(handlers: Iterable[Job]) -> tuple[list[str], list[str], list[int]]:
    """What DISPATCH_EVENTS is given: the kind of each handler, its name, its priority."""
    of = [(h.trigger.kind, h.name, int(h.priority)) for h in handlers if isinstance(h.trigger, OnEvent)]
    return [kind for kind, _, _ in of], [name for _, name, _ in of], [priority for _, _, priority in of]


async def gap(link: Link) -> Gap | None:
    """What was due before this database came out of a backup, if it did."""
    row = await link.fetchrow(RESTORED)
    return Gap(row["restored_at"], restored_from(row["backup"])) if row else None


def restored_from(backup: str) -> str:
    """The reason of runs that are held for it."""
    return f"restored from backup {backup}"


async def known_jobs(link: Link, names: Iterable[str]) -> dict[str, KnownJob]:
    rows = await link.fetch(KNOWN_JOBS, list(names))
    return {
        row["name"]: KnownJob(
            row["name"], row["schedule_fingerprint"], row["evaluated_until"], row["revision"], row["paused_by"],
            json.loads(row["overrides"]),
        )
        for row in rows
    }  # fmt: skip


async def tick(
    connection: Connection, jobs: Sequence[TickedJob], runs: Sequence[NewRun], now: datetime, node: UUID
) -> Sequence[Record]:
    """Insert the runs and move the watermarks, in one statement. A job missing from the answer was not ticked."""
    rows: Sequence[Record] = await connection.fetch(TICK.text, *tick_arguments(jobs, runs, now, node))
    return rows


def tick_arguments(jobs: Sequence[TickedJob], runs: Sequence[NewRun], now: datetime, node: UUID) -> tuple[object, ...]:
    """What most jobs of a burst have in common is sent once: to encode it for each took longer than all the rest."""
    names = [j.known.name for j in jobs]
    places = {name: place for place, name in enumerate(names, 1)}
    job_sort, job_sorts = _sorted(map(_JOB_SORT, jobs), width=5)
    run_sort, run_sorts = _sorted(map(_RUN_SORT, runs), width=12)
    return names, job_sort, *job_sorts, [places[r.job] for r in runs], run_sort, *run_sorts, now, node


_JOB_SORT = attrgetter("known.fingerprint", "fingerprint", "known.evaluated_until", "known.revision", "until")
_RUN_SORT = attrgetter(
    "due_at", "due_until", "count", "logical_date", "logical_until", "state", "reason", "priority", "strict", "daily",
    "note", "claim",
)  # fmt: skip


def _sorted(rows: Iterable[tuple[object, ...]], *, width: int) -> tuple[list[int], list[list[object]]]:
    """Which sort each row is of, counted from 1, and the sorts, column by column."""
    sorts: dict[tuple[object, ...], int] = {}
    of_each = [sorts.setdefault(row, len(sorts) + 1) for row in rows]
    return of_each, [[sort[column] for sort in sorts] for column in range(width)]


def claimed(row: Record) -> Claimed:
    return Claimed(
        id=row["id"], job=row["job"], due_at=row["due_at"], due_until=row["due_until"], count=row["count"],
        logical_date=row["logical_date"], trigger=row["trigger"], token=row["token"], attempt=row["attempt"],
        failures=row["failures"], rescues=row["rescues"], started_at=row["started_at"],
        args=json.loads(row["args"]) if row["args"] else {},
        cursor=json.loads(row["cursor"]) if row["cursor"] else None,
    )  # fmt: skip


def started(row: Record, now: datetime) -> Claimed:
    """A run that the tick itself claimed."""
    return Claimed(
        id=row["id"], job=row["name"], due_at=row["due_at"].astimezone(UTC), due_until=row["due_until"],
        count=row["count"], logical_date=row["logical_date"], token=row["token"], started_at=now,
    )  # fmt: skip


def settled(row: Record) -> Settled:
    return Settled(row["id"], row["job"], row["due_at"], row["state"], row["reason"], row["count"])


async def finish(link: Link, ends: Sequence[Finish]) -> set[int]:
    """Record how tries ended; returns the ids that were still ours."""
    rows = await link.fetch(
        FINISH,
        [e.id for e in ends], [e.token for e in ends], [e.state for e in ends], [_text(e.reason) for e in ends],
        [e.result for e in ends], [_text(e.error) for e in ends], [e.failures for e in ends],
        [e.retry_in for e in ends], [_text(e.outcome) for e in ends], [_text(e.traceback) for e in ends],
        [e.grants for e in ends],
    )  # fmt: skip
    return {row["id"] for row in rows}


def _text(said: str | None) -> str | None:
    return None if said is None else storable(said)


def encoded(value: object) -> str | None:
    """What a run reports, or its arguments, as the ledger keeps it. Raises `TypeError`, `ValueError`."""
    text = None if value is None else to_json(value)
    if text is not None and len(text) > MOST_RESULT:
        raise ValueError(
            f"{len(text):,} characters of JSON are no result: the ledger keeps {MOST_RESULT:,}; "
            "write rows to a table of the suite's, and report how many"
        )
    return text
