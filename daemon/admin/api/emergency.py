"""The emergency stop: everything ends and nothing begins, on every node, until it is over."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field, StrictBool

from daemon import actions_emergency, emergency
from daemon.admin.access import Administrator, Operator, Viewer
from daemon.admin.models import ChangedRun, Why
from daemon.admin.problems import described
from daemon.admin.state import State

router = APIRouter(prefix="/api/v1/emergency-stop", tags=["emergency stop"])


class Stop(BaseModel):
    """Whether a stop is in force, whose, since when and why."""

    stopped: bool
    by: str | None = None
    at: datetime | None = None
    reason: str | None = None


class StopBegun(Stop):
    """`running`: the runs that are being ended, within five seconds. `already`: the stop was in force before."""

    running: list[int]
    already: bool


class Resume(Why):
    retry: StrictBool = Field(default=False, description="Also retry the runs that the stop cancelled.")


class Resumed(BaseModel):
    """`cancelled`: the runs that the stop had ended; they are ready again if `retried`."""

    cancelled: list[int]
    retried: bool
    released: list[ChangedRun]


@router.get("")
async def show_stop(state: State, _: Viewer) -> Stop:
    """Whether everything is stopped."""
    row = await state.database.fetchrow(emergency.IN_FORCE)
    if row is None:
        return Stop(stopped=False)
    return Stop(stopped=True, by=row["stopped_by"], at=row["stopped_at"], reason=row["reason"])


@router.post("")
async def stop_everything(state: State, caller: Operator, body: Why | None = None) -> StopBegun:
    """Cancel what runs, within five seconds, and let nothing begin, on any node."""
    async with state.database.acting() as connection:
        done = await actions_emergency.stop_everything(connection, caller.actor((body or Why()).reason))
    return StopBegun(
        stopped=True, by=done.by, at=done.at, reason=done.reason, running=list(done.running), already=done.already
    )


@router.post("/resume", responses=described(409))
async def resume(state: State, caller: Administrator, body: Resume | None = None) -> Resumed:
    """End the stop. What it held may go; what it cancelled is retried if you say so."""
    wish = body or Resume()
    async with state.database.acting() as connection:
        ended = await actions_emergency.go_on(
            connection, caller.actor(wish.reason), state.catalogue.jobs, retry=wish.retry
        )
    return Resumed(
        cancelled=list(ended.cancelled), retried=ended.retried, released=[ChangedRun.of(run) for run in ended.released]
    )
