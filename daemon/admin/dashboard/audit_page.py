"""What persons did, the newest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from daemon.admin.access import Viewer
from daemon.admin.api.audit import entries
from daemon.admin.dashboard.watching import watched
from daemon.admin.live import Part
from daemon.admin.models import Text
from daemon.admin.pages import page_for, rendered
from daemon.admin.paging import Cursor, asked
from daemon.admin.state import AdminState, State

PER_PAGE = 50

router = APIRouter(include_in_schema=False)
Word = Annotated[Text, Query(max_length=500)]


@dataclass(frozen=True, slots=True)
class Sought:
    """What the form above the list asks for; empty for any."""

    who: str
    action: str
    target: str

    def query(self, cursor: str | None = None) -> str:
        return asked(who=self.who, action=self.action, target=self.target, cursor=cursor)


def sought(who: Word = "", action: Word = "", target: Word = "") -> Sought:
    return Sought(who, action, target)


Filter = Annotated[Sought, Depends(sought)]


@router.get("/audit")
async def show_audit(state: State, caller: Viewer, wanted: Filter, cursor: Cursor = None) -> Response:
    return page_for(
        caller, "audit.html", "Audit", list=await list_html(state, wanted, cursor), who_did=wanted.who,
        action=wanted.action, target=wanted.target, query=wanted.query() if cursor is None else None,
    )  # fmt: skip


@router.get("/live/audit")
async def live_audit(request: Request, state: State, _: Viewer, wanted: Filter) -> Response:
    """The newest page; older ones change no more."""
    return await watched(
        request, state, list=Part(f"audit {wanted.query()}", lambda: list_html(state, wanted, None))
    )  # fmt: skip


async def list_html(state: AdminState, wanted: Sought, cursor: str | None) -> str:
    """Raises `DatabaseDown` and `TooBusy`."""
    found = await entries(
        state, PER_PAGE, cursor, wanted.who or None, wanted.action or None, wanted.target or None
    )  # fmt: skip
    return rendered(
        "audit_list.html", entries=found.items, next=found.next, older=wanted.query(found.next),
        jobs=state.catalogue.jobs, queues=state.catalogue.queues,
    )  # fmt: skip
