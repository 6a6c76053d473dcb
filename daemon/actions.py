"""What a person may do to the ledger: each action one transaction with its audit row, told to the nodes after COMMIT.

The command line and the admin API call these and word the answers; nothing is printed here. Nodes learn of a
change by NOTIFY, or by their own polling when that is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from daemon import emergency, ledger, schedule, sql
from daemon.actions_deed import (
    Actor,
    AlreadyCovered,
    Changed,
    Deed,
    Missing,
    NeedsReason,
    NeedsSecond,
    Paused,
    Refused,
    deed,
)
from daemon.actions_overrides import locked
from daemon.job import Job
from daemon.roster import DISABLED
from daemon.unawaited import not_awaited

(
    LOCK_RUNS, HELD_RUNS, RETRY_RUN, COVERING, DUE_EXACTLY_AT, RELEASE_RUNS, WAIVE_RUNS, CANCEL_RUNS,
    ASK_TO_CANCEL, PAUSE_JOB, RESUME_JOB, LOCK_REQUEST, REQUESTED_BEFORE, KEEP_REQUEST,
) = sql.load(
    __file__, "lock_runs", "held_runs", "retry_run", "covering", "due_exactly_at", "release_runs", "waive_runs",
    "cancel_runs", "ask_to_cancel", "pause_job", "resume_job", "lock_request", "requested_before", "keep_request",
)  # fmt: skip
(REQUEST_RUN,) = sql.load(ledger.__file__, "request_run")

MOST_AGAINS = 1000
RETRIABLE = ("failed", "cancelled", "skipped", "missed")
Jobs = Mapping[str, Job]


async def request_run(
    connection: asyncpg.Connection, actor: Actor, job: Job, *, due_at: datetime,
    args: Mapping[str, Any] | None = None, again: bool = False, key: str | None = None,
) -> int:  # fmt: skip
    """A run by hand, ready at once; returns its id. `again` allows a second one for the same date or instant. The same
    `key` of the same actor within a day gives the run that it gave before.

    Raises `AlreadyCovered`; for a sensitive job `NeedsReason` without a reason, and `NeedsSecond`.
    """
    payload = {"due_at": due_at.isoformat(), "args": args or {}, "again": again}
    _answered_for(job, actor, job.name, "run", payload)
    spec = job.trigger if isinstance(job.trigger, schedule.Schedule) else schedule.OnDemand()
    daily = schedule.daily_or_longer(spec)
    date = schedule.local_date(spec, due_at)
    strict = job.catch_up.is_each and daily and not again  # it stands for its date: later ones wait for it
    text = ledger.encoded(args) if args else None
    async with deed(connection, actor, "run-job") as doing:
        if (before := await _requested_before(doing, actor, key)) is not None:
            return before
        await _not_stopped(doing)
        await doing.fetch(ledger.INTRODUCE_JOBS, [job.name], [DISABLED])
        for shift in range(MOST_AGAINS if again else 1):  # the next free microsecond: instants are unique
            at = due_at + timedelta(microseconds=shift)
            try:
                async with connection.transaction():
                    row = (await doing.fetch(
                        REQUEST_RUN, job.name, at, date, "manual", int(job.priority), daily, again, text,
                        actor.who, actor.told_reason, strict,
                    ))[0]  # fmt: skip
            except asyncpg.UniqueViolationError:
                continue
            after = {"job": job.name, "due_at": at, "args": args or {}, "again": again}
            if unmet := await not_awaited(connection, job, at):
                after["not_awaited"] = unmet
            doing.did(f"run {row['id']}", {}, after, "ready")
            if key is not None:
                await doing.fetch(KEEP_REQUEST, actor.who, key, row["id"])
            return int(row["id"])
        raise await _covered(doing, job.name, due_at, date)


async def _requested_before(doing: Deed, actor: Actor, key: str | None) -> int | None:
    if key is None:
        return None
    await doing.fetch(LOCK_REQUEST, actor.who, key)
    rows = await doing.fetch(REQUESTED_BEFORE, actor.who, key)
    return int(rows[0]["run"]) if rows else None


async def _not_stopped(doing: Deed) -> None:
    """Raises `Refused` during an emergency stop: a run that waits for its end would surprise whoever asked for it."""
    if rows := await doing.fetch(emergency.IN_FORCE):
        since = rows[0]["stopped_at"].isoformat(sep=" ", timespec="seconds")
        raise Refused(f"everything is stopped since {since}, by {rows[0]['stopped_by']}; to end it: sexton resume-all")


async def _covered(doing: Deed, job: str, due_at: datetime, date: object) -> AlreadyCovered:
    what = f"already has a run for {date}"
    rows = await doing.fetch(COVERING, job, date)
    if not rows:
        what, rows = f"already has a run due at {due_at.isoformat()}", await doing.fetch(DUE_EXACTLY_AT, job, due_at)
    run, state = rows[0]["id"], rows[0]["state"]
    remedy = (
        f"to try it again: sexton retry {run}" if state in RETRIABLE else f"for another: sexton run-job {job} --again"
    )
    return AlreadyCovered(run, state, f"{job} {what}: run {run} ({state}); {remedy}")


async def retry_runs(connection: asyncpg.Connection, actor: Actor, jobs: Jobs, runs: Sequence[int]) -> list[Changed]:
    """Failed, cancelled, skipped and missed runs are ready again, at once and with all their tries."""
    async with deed(connection, actor, "retry") as doing:
        rows = await _judged(doing, runs, _why_not_retry)
        for row in rows:
            _answered_for(jobs.get(row["job"]), actor, row["job"], "retry", {"runs": list(runs)})
            try:
                async with connection.transaction():
                    await doing.fetch(RETRY_RUN, row["id"], actor.who)
            except asyncpg.UniqueViolationError:
                raise await _covered(doing, row["job"], row["due_at"], row["logical_date"]) from None
        return [_changed(doing, row, "ready") for row in rows]


def _why_not_retry(row: asyncpg.Record) -> str | None:
    state, run, job = row["state"], row["id"], row["job"]
    if row["trigger"] == "poll":
        return "was one pass of a poll, and the next pass does the same work; dead items: sexton retry QUEUE"
    if state in RETRIABLE or (state == "ready" and row["later"]):
        return None
    return {
        "running": f"is running; to stop it: sexton cancel {run}",
        "succeeded": f"has succeeded; to do its work once more: sexton run-job {job} --again",
        "held": f"is held ({row['reason']}); to let it run: sexton release {run}",
        "waiting": "waits for the jobs it depends on",
    }.get(state, "is ready already")


async def release_runs(connection: asyncpg.Connection, actor: Actor, jobs: Jobs, runs: Sequence[int]) -> list[Changed]:
    """Held runs may go: ready, or waiting for what their job depends on."""
    async with deed(connection, actor, "release") as doing:
        return await _release(doing, jobs, runs)


async def release_job(connection: asyncpg.Connection, actor: Actor, jobs: Jobs, job: str) -> list[Changed]:
    """Every held run of a job, however many."""
    async with deed(connection, actor, "release") as doing:
        return await _release(doing, jobs, [row["id"] for row in await doing.fetch(HELD_RUNS, job, None)])


async def _release(doing: Deed, jobs: Jobs, runs: Sequence[int]) -> list[Changed]:
    rows = await _judged(doing, runs, lambda r: None if r["state"] == "held" else f"is {r['state']}, not held")
    dependent = [name for name, job in jobs.items() if job.requires or job.after]
    states = {r["id"]: r["state"] for r in await doing.fetch(RELEASE_RUNS, list(runs), dependent)}
    return [_changed(doing, row, states[row["id"]]) for row in rows]


async def waive_runs(connection: asyncpg.Connection, actor: Actor, jobs: Jobs, runs: Sequence[int]) -> list[Changed]:
    """Settle instants of an EACH job without running them, so that later ones may go."""

    def why_not(row: asyncpg.Record) -> str | None:
        if row["state"] in ("running", "succeeded"):
            return f"{'is running' if row['state'] == 'running' else 'has succeeded'}: nothing is left to waive"
        if not row["strict"]:
            return f"holds nothing up ({row['state']}): its job does not catch up with EACH instant"
        return f"was waived by {row['waived_by']} before" if row["waived_by"] else None

    async with deed(connection, actor, "waive") as doing:
        rows = await _judged(doing, runs, why_not)
        for row in rows:
            _answered_for(jobs.get(row["job"]), actor, row["job"], "waive", {"runs": list(runs)})
        await doing.fetch(WAIVE_RUNS, list(runs), actor.who)
        return [_changed(doing, row, "cancelled") for row in rows]


async def cancel_runs(connection: asyncpg.Connection, actor: Actor, runs: Sequence[int]) -> list[Changed]:
    """What has not started is cancelled now; what runs is asked to stop, by the node that runs it."""
    idle = ("waiting", "held", "ready")
    async with deed(connection, actor, "cancel") as doing:
        rows = await _judged(
            doing, runs, lambda r: None if r["state"] in (*idle, "running") else f"is {r['state']} already"
        )
        await doing.fetch(CANCEL_RUNS, [r["id"] for r in rows if r["state"] in idle], actor.who)
        await doing.fetch(ASK_TO_CANCEL, [r["id"] for r in rows if r["state"] == "running"], actor.who)
        return [_changed(doing, r, "running" if r["state"] == "running" else "cancelled") for r in rows]


async def _judged(
    doing: Deed, runs: Sequence[int], why_not: Callable[[asyncpg.Record], str | None]
) -> Sequence[asyncpg.Record]:
    """The runs' rows, locked. Raises `Refused` with every one that does not exist or is refused: all or nothing."""
    rows = await doing.fetch(LOCK_RUNS, list(runs))
    problems = [f"there is no run {run}" for run in sorted(set(runs) - {row["id"] for row in rows})]
    if problems and not rows:
        raise Missing(*problems)
    problems += [f"run {r['id']} ({r['job']}) {why}" for r in rows if (why := why_not(r)) is not None]
    if problems:
        raise Refused(*problems)
    return rows


def _changed(doing: Deed, row: asyncpg.Record, state: str) -> Changed:
    run, asked = row["id"], row["state"] == "running"
    before = {"job": row["job"], "state": row["state"], "reason": row["reason"], "failures": row["failures"]}
    after = {"state": state} | ({"cancel_requested": True} if asked else {})
    doing.did(f"run {run}", before, after, f"cancel:{run}" if asked else "ready")
    return Changed(run, row["job"], row["due_at"], row["state"], state, row["strict"])


def _answered_for(job: Job | None, actor: Actor, name: str, action: str, payload: Mapping[str, Any]) -> None:
    """Raises `NeedsReason` and `NeedsSecond`.

    A job this configuration does not know is treated as sensitive: nobody can say that it is not.
    """
    if job is not None and not job.sensitive:
        return
    if not (actor.reason or "").strip():
        why = "is not in this configuration" if job is None else "is sensitive"
        raise NeedsReason(f"{name} {why}")
    if actor.two_person and actor.agreed_by is None:
        raise NeedsSecond(action, name, payload, actor)


async def pause_job(connection: asyncpg.Connection, actor: Actor, job: str, revision: int | None = None) -> Paused:
    """From now on its instants are accounted for but not run: EACH is held, the rest skipped. Raises `Stale`."""
    async with deed(connection, actor, "pause") as doing:
        row = await locked(doing, job, revision)
        if row["paused_by"] is not None:
            return Paused(job, row["paused_by"], row["paused_at"], already=True)
        paused = (await doing.fetch(PAUSE_JOB, job, actor.who))[0]
        doing.did(job, {"paused_by": None}, {"paused_by": actor.who}, f"job:{job}")
        return Paused(job, actor.who, paused["paused_at"], already=False)


async def resume_job(
    connection: asyncpg.Connection, actor: Actor, jobs: Jobs, job: str, revision: int | None = None
) -> list[Changed]:
    """Undo a pause; what it held may go. Raises `Refused` when the job is not paused, and `Stale`."""
    async with deed(connection, actor, "resume") as doing:
        row = await locked(doing, job, revision)
        if row["paused_by"] is None:
            raise Refused(f"{job} is not paused")
        await doing.fetch(RESUME_JOB, job, actor.who)
        doing.did(job, {"paused_by": row["paused_by"]}, {"paused_by": None}, f"job:{job}")
        return await _release(doing, jobs, [r["id"] for r in await doing.fetch(HELD_RUNS, job, "paused by %")])
