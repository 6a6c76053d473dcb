"""Queues, and the dead items of one: tried again or let go, one, some, or all that match."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from daemon.admin.access import Caller, Viewer
from daemon.admin.api.queues import depth, list_items, queue_named
from daemon.admin.dashboard.watching import watched
from daemon.admin.live import Part
from daemon.admin.models import Text
from daemon.admin.pages import page_for, rendered
from daemon.admin.paging import Cursor, asked
from daemon.admin.state import AdminState, State
from daemon.job import Poll

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
    depths = {name: await depth(state, queue_named(state, name)) for name in wanted}
    return rendered("queues_list.html", queues=depths)


Error = Annotated[Text, Query(max_length=500)]


@router.get("/queues/{queue}")
async def show_queue(state: State, caller: Viewer, queue: Text, cursor: Cursor = None, error: Error = "") -> Response:
    return page_for(
        caller, "queue.html", "Queues", queue=queue, error=error, query=asked(error=error, cursor=cursor),
        workers=_workers(state, queue), now=await queues_html(state, queue),
        items=await items_html(state, caller, queue, error, cursor),
    )  # fmt: skip


def _workers(state: AdminState, queue: str) -> list[str]:
    """The jobs that new items wake: those that work them off."""
    jobs = state.catalogue.jobs.items()
    return sorted(name for name, job in jobs if isinstance(job.trigger, Poll) and job.trigger.wake == queue)


@router.get("/live/queues/{queue}")
async def live_queue(
    request: Request, state: State, caller: Viewer, queue: Text, cursor: Cursor = None, error: Error = ""
) -> Response:
    """The depth, and the same page of dead items that the reader has before them."""
    return await watched(
        request, state, now=Part(f"queue {queue}", lambda: queues_html(state, queue)),
        items=Part(
            f"dead of {queue} {asked(error=error, cursor=cursor)}",
            lambda: items_html(state, caller, queue, error, cursor),
        ),
    )  # fmt: skip


async def items_html(state: AdminState, caller: Caller, queue: str, error: str, cursor: str | None) -> str:
    """A page of dead items. Raises 404, `DatabaseDown` and `TooBusy`."""
    found = await list_items(state, caller, queue, PER_PAGE, cursor, "DEAD", error)
    dead = await state.database.fetchrow(queue_named(state, queue).statements["dead_items"], error or None)
    assert dead is not None
    older = asked(error=error, cursor=found.next)
    return rendered(
        "queue_items.html", queue=queue, items=found.items, error=error, next=found.next, older=older,
        dead=dead["dead"],
    )  # fmt: skip
