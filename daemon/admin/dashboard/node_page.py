"""Nodes and their worker processes; the backups of the one that answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import asyncpg
from fastapi import APIRouter, Request
from fastapi.responses import Response

from daemon.admin.access import Viewer
from daemon.admin.api.backups import backups_here
from daemon.admin.api.nodes import NODES, Node, Workers, node_of, workers_of
from daemon.admin.dashboard.watching import watched
from daemon.admin.live import Part
from daemon.admin.pages import page_for, rendered
from daemon.admin.state import AdminState, State
from daemon.backup.errors import BackupError

MOST_BACKUPS = 15
ENDED_WELL = ("stopped", "restarted")

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
    return rendered("nodes_list.html", nodes=to_show(await state.database.fetch(NODES)))


@dataclass(frozen=True, slots=True)
class Shown:
    """`earlier`: how many lives of this node, in the last day, ended in good order or with its restart."""

    node: Node
    workers: Workers | None
    earlier: int


def to_show(rows: Iterable[asyncpg.Record]) -> list[Shown]:
    """A node once, however often it was restarted, and each that died without coming back by itself."""
    nodes = [(node_of(row), workers_of(row)) for row in rows]
    living = {node.name for node, _ in nodes if node.alive}
    over = [node for node, _ in nodes if not node.alive and node.dead_reason in ENDED_WELL]
    last = {node.name: node for node in reversed(over) if node.name not in living}  # they come newest first
    earlier = Counter(node.name for node in over)
    earlier.subtract(last.keys())
    kept = [(n, w) for n, w in nodes if n.alive or n.dead_reason not in ENDED_WELL or last.get(n.name) is n]
    return [Shown(n, w, earlier[n.name] if n.alive or n.name in last else 0) for n, w in kept]


async def backups_html(state: AdminState) -> str:
    """Read once a page: they change once a night. A directory that cannot be read is told in their place."""
    found, error = [], None
    try:
        found = await backups_here(state)
    except BackupError as failure:
        error = str(failure)
    directory = state.settings.backup_directory
    return rendered("backups.html", backups=found, error=error, directory=directory, most=MOST_BACKUPS)
