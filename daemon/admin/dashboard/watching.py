"""What every page watches: its own parts, and whether everything is stopped."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from daemon import emergency
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
    """A stream of these parts and of the banner of the emergency stop. Raises what rendering them raises."""
    return await state.live.answer(request, parts | {"stop": Part("stop", lambda: stop_html(state))})


async def stop_html(state: AdminState) -> str:
    """Raises `DatabaseDown` and `TooBusy`."""
    return rendered("stop_banner.html", stop=await state.database.fetchrow(emergency.IN_FORCE))
