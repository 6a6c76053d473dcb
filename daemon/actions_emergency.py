"""The emergency stop and its end: one transaction each, audited, told to every node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from daemon import sql
from daemon.actions import Jobs, release_runs, retry_runs
from daemon.actions_deed import Actor, Changed, NeedsSecond, Refused, deed
from daemon.emergency import reason_of

STOP_ALL, IN_FORCE, END_STOP, RUNNING, CANCELLED_BY_STOP, HELD_BY_STOP = sql.load(
    __file__, "stop_all", "in_force", "end_stop", "running", "cancelled_by_stop", "held_by_stop"
)
NEWS, TARGET = "emergency", "everything"


@dataclass(frozen=True, slots=True)
class Stopped:
    """`running`: the runs that are being ended. `already`: it was in force before, by `by`, and stays so."""

    by: str
    at: datetime
    reason: str | None
    running: Sequence[int]
    already: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """`cancelled`: the runs the stop had ended, ready again if `retried`; `released`: what was held meanwhile."""

    cancelled: Sequence[int]
    retried: bool
    released: Sequence[Changed]


async def stop_everything(connection: asyncpg.Connection, actor: Actor) -> Stopped:
    """Nothing begins on any node until it is ended, and what runs is cancelled. Whoever was first stays named."""
    async with deed(connection, actor, "emergency stop") as doing:
        rows = await doing.fetch(STOP_ALL, actor.who, actor.reason)
        running = [row["id"] for row in await doing.fetch(RUNNING)]
        if rows:
            doing.did(TARGET, {}, {"stopped": True, "running": running}, NEWS)
        row = rows[0] if rows else (await doing.fetch(IN_FORCE))[0]
        return Stopped(row["stopped_by"], row["stopped_at"], row["reason"], running, already=not rows)


async def go_on(connection: asyncpg.Connection, actor: Actor, jobs: Jobs, *, retry: bool = False) -> Ended:
    """End the stop: what it held may go, and with `retry` the runs it cancelled are ready again.

    Raises `Refused` when nothing is stopped, and `NeedsReason` when a sensitive job is among those to retry.
    """
    async with connection.transaction():
        async with deed(connection, actor, "end emergency stop") as doing:
            rows = await doing.fetch(END_STOP)
            if not rows:
                raise Refused("there is no emergency stop to end")
            reason = reason_of(rows[0]["stopped_by"])
            cancelled = [row["id"] for row in await doing.fetch(CANCELLED_BY_STOP, reason, rows[0]["stopped_at"])]
            held = [row["id"] for row in await doing.fetch(HELD_BY_STOP, reason)]
            before = {"stopped_by": rows[0]["stopped_by"], "stopped_at": rows[0]["stopped_at"]}
            doing.did(TARGET, before, {"stopped": False, "cancelled": cancelled, "retried": retry}, NEWS)
        released = await release_runs(connection, actor, jobs, held) if held else []
        if retry and cancelled:
            await _retried(connection, actor, jobs, cancelled)
    return Ended(cancelled, retry, released)


async def _retried(connection: asyncpg.Connection, actor: Actor, jobs: Jobs, runs: Sequence[int]) -> None:
    try:
        await retry_runs(connection, actor, jobs, runs)
    except NeedsSecond as error:
        raise Refused(f"{error}: end the stop without retrying, then retry the runs") from None
