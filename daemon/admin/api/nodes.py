"""Nodes, and the worker processes of each: what they last said of themselves."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter
from pydantic import BaseModel

from daemon import sql
from daemon.admin.access import Viewer
from daemon.admin.state import State

(NODES,) = sql.load(__file__, "nodes")
router = APIRouter(prefix="/api/v1", tags=["nodes"])


class RunningRun(BaseModel):
    run: int
    job: str
    due_at: datetime
    attempt: int
    seconds: float
    done: float
    total: float | None


class Workers(BaseModel):
    """The worker processes of one node. `died` counts since its start."""

    node: str
    incarnation: UUID
    size: int
    busy: int
    idle: int
    starting: int
    died: int


class Node(BaseModel):
    """`status_at` is when the node last spoke; what it said is absent for one that never did."""

    name: str
    incarnation: UUID
    version: str
    alive: bool
    started_at: datetime
    lease_until: datetime
    dead_at: datetime | None
    dead_reason: str | None
    status_at: datetime | None
    draining: bool | None
    listening: bool | None
    loop_lag_ms: float | None
    slots: int | None
    slots_used: int | None
    running: list[RunningRun]


@router.get("/nodes")
async def nodes(state: State, _: Viewer) -> list[Node]:
    """Every daemon that lives or should, and those that died in the last day."""
    return [node_of(row) for row in await state.database.fetch(NODES)]


@router.get("/workers")
async def workers(state: State, _: Viewer) -> list[Workers]:
    """The worker processes of each node that is alive."""
    return [pool for row in await state.database.fetch(NODES) if (pool := workers_of(row)) is not None]


def workers_of(row: asyncpg.Record) -> Workers | None:
    """None for a node that is dead, or has not spoken yet."""
    if not row["alive"] or not row["status"]:
        return None
    return Workers(node=row["name"], incarnation=row["incarnation"], **json.loads(row["status"])["pool"])


def node_of(row: asyncpg.Record) -> Node:
    said: dict[str, Any] = json.loads(row["status"]) if row["status"] else {}
    slots = said.get("slots", {})
    return Node.model_validate({
        **{key: row[key] for key in Node.model_fields.keys() & row.keys()},
        **{key: said.get(key) for key in ("draining", "listening", "loop_lag_ms")},
        "slots": slots.get("size"), "slots_used": slots.get("used"),
        "running": said.get("running", []) if row["alive"] else [],
    })  # fmt: skip
