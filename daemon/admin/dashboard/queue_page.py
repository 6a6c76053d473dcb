"""Queues, and the dead items of one: tried again or let go, one, some, or all that match."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from daemon.admin.access import Viewer
from daemon.admin.api.queues import depth, list_items, queue_named
from daemon.admin.dashboard.watching import watched
from daemon.admin.live import Part
from daemon.admin.models import Text
from daemon.admin.pages import page_for, rendered
from daemon.admin.paging import Cursor
from daemon.admin.state import AdminState, State

PER_PAGE = 100

router = APIRouter(include_in_schema=False)


@router.get("/queues")
async def list_queues(state: State, caller: Viewer) -> Response:
    return page_for(caller, "queues.html", "Queues", now=await queues_html(state))


@router.get("/live/queues")
async def live_queues(request: Request, state: State, _: Viewer) -> Response:
    return await watched(request, state, now=Part("queues", lambda: queues_html(state)))


async def queues_html(state: AdminState, *names: str) -> str:
    """The depth of these queues, or of all. Raises 404, `DatabaseDown` and `TooBusy`."""
    wanted = names or sorted(state.catalogue.queues)
    depths = [await depth(state, queue_named(state, name)) for name in wanted]
    return rendered("queues_list.html", queues=depths)


@router.get("/queues/{queue}")
async def show_queue(
    state: State, caller: Viewer, queue: Text, cursor: Cursor = None, error: Annotated[Text, Query(max_length=500)] = ""
) -> Response:
    found = await list_items(state, caller, queue, PER_PAGE, cursor, "DEAD", error)
    return page_for(
        caller, "queue.html", "Queues", queue=queue, items=found.items, next=found.next, error=error,
        now=await queues_html(state, queue),
    )  # fmt: skip


@router.get("/live/queues/{queue}")
async def live_queue(request: Request, state: State, _: Viewer, queue: Text) -> Response:
    return await watched(request, state, now=Part(f"queue {queue}", lambda: queues_html(state, queue)))
