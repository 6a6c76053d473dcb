"""Nodes and their worker processes; the backups of the one that answers."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from daemon.admin.access import Viewer
from daemon.admin.api.backups import backups_here
from daemon.admin.api.nodes import NODES, node_of, workers_of
from daemon.admin.dashboard.watching import watched
from daemon.admin.live import Part
from daemon.admin.pages import page_for, rendered
from daemon.admin.state import AdminState, State
from daemon.backup.errors import BackupError

MOST_BACKUPS = 15

router = APIRouter(include_in_schema=False)


@router.get("/nodes")
async def show_nodes(state: State, caller: Viewer) -> Response:
    return page_for(
        caller, "nodes.html", "Nodes", now=await nodes_html(state), backups=await backups_html(state)
    )  # fmt: skip


@router.get("/live/nodes")
async def live_nodes(request: Request, state: State, _: Viewer) -> Response:
    return await watched(request, state, now=Part("nodes", lambda: nodes_html(state)))


async def nodes_html(state: AdminState) -> str:
    """Raises `DatabaseDown` and `TooBusy`."""
    rows = await state.database.fetch(NODES)
    return rendered("nodes_list.html", nodes=[(node_of(row), workers_of(row)) for row in rows])


async def backups_html(state: AdminState) -> str:
    """Read once a page: they change once a night. A directory that cannot be read is told in their place."""
    found, error = [], None
    try:
        found = await backups_here(state)
    except BackupError as failure:
        error = str(failure)
    directory = state.settings.backup_directory
    return rendered("backups.html", backups=found, error=error, directory=directory, most=MOST_BACKUPS)
