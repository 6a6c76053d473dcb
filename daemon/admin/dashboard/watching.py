"""What every page watches: its own parts, whether everything is stopped, and how much waits for a second person."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from daemon import emergency
from daemon.actions_approval import COUNT_PENDING
from daemon.admin.access import Viewer
from daemon.admin.live import Part
from daemon.admin.pages import rendered
from daemon.admin.state import AdminState, State

router = APIRouter(include_in_schema=False)


@router.get("/live/stop")
async def live(request: Request, state: State, _: Viewer) -> Response:
    """For a page with nothing of its own to watch."""
    return await watched(request, state)


async def watched(request: Request, state: AdminState, **parts: Part) -> Response:
    """A stream of these parts and of what the frame around them shows. Raises what rendering them raises."""
    frame = {
        "stop": Part("stop", lambda: stop_html(state)),
        "to-approve": Part("to approve", lambda: to_approve_html(state)),
    }
    return await state.live.answer(request, parts | frame)


async def stop_html(state: AdminState) -> str:
    """Raises `DatabaseDown` and `TooBusy`."""
    return rendered("stop_banner.html", stop=await state.database.fetchrow(emergency.IN_FORCE))


async def to_approve_html(state: AdminState) -> str:
    """How many deeds wait for a second person, for the navigation; nothing for none. Raises as above."""
    row = await state.database.fetchrow(COUNT_PENDING)
    return rendered("approvals_count.html", count=row["count"] if row else 0)
