"""What waits for a second person, and what became of it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from daemon.admin.access import Viewer
from daemon.admin.api.approvals import listed
from daemon.admin.dashboard.watching import watched
from daemon.admin.live import Part
from daemon.admin.pages import page_for, rendered
from daemon.admin.state import AdminState, State

MOST = 50

router = APIRouter(include_in_schema=False)


@router.get("/approvals")
async def show_approvals(state: State, caller: Viewer) -> Response:
    two_person = state.settings.admin.two_person
    return page_for(caller, "approvals.html", "Approvals", list=await list_html(state), two_person=two_person)


@router.get("/live/approvals")
async def live_approvals(request: Request, state: State, _: Viewer) -> Response:
    return await watched(request, state, list=Part("approvals", lambda: list_html(state)))


async def list_html(state: AdminState) -> str:
    """The newest first. Raises `DatabaseDown` and `TooBusy`."""
    found = await listed(state, MOST, None, pending=False)
    return rendered("approvals_list.html", approvals=found.items)
