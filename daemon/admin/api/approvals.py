"""Where `admin.two_person` is on: what waits for a second person, and how it agrees or not.

Whatever asks for such a thing gets 202 with the number of an approval instead of its usual answer.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

import asyncpg
from fastapi import APIRouter, FastAPI, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from daemon import actions_approval
from daemon.actions_approval import LISTED, Decided
from daemon.actions_deed import NeedsSecond
from daemon.admin.access import Operator, Viewer
from daemon.admin.api.jobs import known_jobs
from daemon.admin.models import RunId, Why
from daemon.admin.paging import Cursor, Limit, Page, decoded, page_of
from daemon.admin.problems import described
from daemon.admin.state import AdminState, State, state_of

router = APIRouter(prefix="/api/v1/approvals", tags=["approvals"])
Number = Annotated[RunId, Path()]


class Asked(BaseModel):
    """Nothing has happened yet: a second person has to agree to `approval`, within a day."""

    approval: int
    detail: str
    run: None = None


class Approval(BaseModel):
    """`payload`: what the action was asked with. `pending`: it still waits for somebody."""

    id: int
    action: str
    job: str
    payload: Any
    asked_by: str
    origin: str
    reason: str
    asked_at: datetime
    expires_at: datetime
    decision: str | None
    decided_by: str | None
    decided_at: datetime | None
    pending: bool


class Decision(BaseModel):
    """`runs`: those that the action made or changed."""

    id: int
    approved: bool
    job: str
    runs: list[int]

    @classmethod
    def of(cls, decided: Decided) -> Decision:
        return cls(id=decided.id, approved=decided.approved, job=decided.job, runs=list(decided.runs))


ASKED: dict[int | str, dict[str, Any]] = {202: {"model": Asked, "description": "A second person has to agree"}}


def handle(app: FastAPI) -> None:
    """From here on an action that needs a second person asks for one."""
    app.add_exception_handler(NeedsSecond, _ask_instead)


async def _ask_instead(request: Request, error: Exception) -> Response:
    assert isinstance(error, NeedsSecond)
    async with state_of(request).database.acting() as connection:
        number = await actions_approval.ask(connection, error)
    asked = Asked(approval=number, detail=f"{error}; it waits for one as approval {number}")
    body = {"success": True, "runId": None, **asked.model_dump()}
    return JSONResponse(body, 202, {"Location": "/api/v1/approvals"})


@router.get("")
async def list_approvals(
    state: State, _: Viewer, limit: Limit = 50, cursor: Cursor = None,
    pending: Annotated[bool, Query(description="Only those that wait for somebody.")] = True,
) -> Page[Approval]:  # fmt: skip
    """What waits for a second person, the newest first."""
    return await listed(state, limit, cursor, pending=pending)


async def listed(state: AdminState, limit: int, cursor: str | None, *, pending: bool) -> Page[Approval]:
    """`pending`: only those that wait for somebody. Raises `DatabaseDown` and `TooBusy`."""
    (last,) = decoded(cursor, int)
    rows = await state.database.fetch(LISTED, pending, last, limit + 1)
    return page_of(rows, limit, _shown, lambda row: (row["id"],))


@router.post("/{approval:int}/approve", responses=described(404, 409))
async def approve(state: State, caller: Operator, approval: Number, body: Why | None = None) -> Decision:
    """Agree: the action is carried out in the name of whoever asked, and the audit has both names."""
    known = await known_jobs(state, list(state.catalogue.jobs))
    actor = caller.actor((body or Why()).reason)
    async with state.database.acting() as connection:
        return Decision.of(await actions_approval.approve(connection, actor, known.jobs.jobs, approval))


@router.post("/{approval:int}/refuse", responses=described(404, 409))
async def refuse(state: State, caller: Operator, approval: Number, body: Why | None = None) -> Decision:
    """Disagree, or take back what you asked for."""
    async with state.database.acting() as connection:
        actor = caller.actor((body or Why()).reason)
        return Decision.of(await actions_approval.refuse(connection, actor, approval))


def _shown(row: asyncpg.Record) -> Approval:
    return Approval.model_validate({**row, "payload": json.loads(row["payload"])})
