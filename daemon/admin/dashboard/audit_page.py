"""What persons did, the newest first."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from daemon.admin.access import Viewer
from daemon.admin.api.audit import list_audit
from daemon.admin.models import Text
from daemon.admin.pages import page_for
from daemon.admin.paging import Cursor
from daemon.admin.state import State

PER_PAGE = 50

router = APIRouter(include_in_schema=False)
Word = Annotated[Text, Query(max_length=500)]


@router.get("/audit")
async def show_audit(
    state: State, caller: Viewer, cursor: Cursor = None, who: Word = "", action: Word = "", target: Word = ""
) -> Response:
    found = await list_audit(state, caller, PER_PAGE, cursor, who or None, action or None, target or None)
    return page_for(
        caller, "audit.html", "Audit", entries=found.items, next=found.next, who_did=who, action=action, target=target
    )
