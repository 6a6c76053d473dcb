"""The audit: who changed what, from where and why, what it was and what it became."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

import asyncpg
from fastapi import APIRouter, Query
from pydantic import BaseModel

from daemon import sql
from daemon.admin.access import Viewer
from daemon.admin.models import Moment, Text
from daemon.admin.paging import Cursor, Limit, Page, decoded, page_of
from daemon.admin.state import AdminState, State

(AUDIT,) = sql.load(__file__, "audit")
router = APIRouter(prefix="/api/v1", tags=["audit"])
Word = Annotated[Text | None, Query(max_length=500)]


class Entry(BaseModel):
    """`origin`: `cli`, or `api` or `browser` with the address. Rows of the audit are never deleted."""

    id: int
    at: datetime
    who: str
    origin: str
    action: str
    target: str
    reason: str | None
    before: Any
    after: Any


@router.get("/audit")
async def list_audit(
    state: State, _: Viewer, limit: Limit = 50, cursor: Cursor = None, who: Word = None, action: Word = None,
    target: Word = None, since: Moment | None = None, until: Moment | None = None,
) -> Page[Entry]:  # fmt: skip
    """What persons did, the newest first."""
    return await entries(state, limit, cursor, who, action, target, since, until)


async def entries(
    state: AdminState, limit: int, cursor: str | None, who: str | None = None, action: str | None = None,
    target: str | None = None, since: datetime | None = None, until: datetime | None = None,
) -> Page[Entry]:  # fmt: skip
    """Those that match all that is not None. Raises `DatabaseDown` and `TooBusy`."""
    (last,) = decoded(cursor, int)
    rows = await state.database.fetch(AUDIT, who, action, target, since, until, last, limit + 1)
    return page_of(rows, limit, _entry, lambda row: (row["id"],))


def _entry(row: asyncpg.Record) -> Entry:
    told = {key: None if row[key] is None else json.loads(row[key]) for key in ("before", "after")}
    return Entry.model_validate({**row, **told})
