"""`sexton status`: is somebody at work, on what, and what wants a person's attention."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import asyncpg

from daemon import attention, in_force, in_words, sql, store
from daemon.catalogue import Catalogue
from daemon.cli import output
from daemon.cli.common import CommandFailed, Invocation, run_async
from daemon.cli.database import GLANCE, Opened, connected
from daemon.cli.status_text import print_status
from daemon.database import REFUSED, DatabaseDown, means_lost
from daemon.embedded_errors import EmbeddedError
from daemon.settings import Settings
from daemon.version import VERSION

SERVER, NODES = sql.load(__file__, "server", "nodes")
UPCOMING = 10


def show_status(invocation: Invocation, *, as_json: bool) -> int:
    """Exit status 0 when a daemon is alive and the database answers, else 1."""
    settings, catalogue = invocation.settings, invocation.catalogue
    status = run_async(lambda: _status(settings, catalogue))
    if as_json:
        output.print_json(status)
    else:
        print_status(status)
    return 0 if status["ready"] else 1


async def _status(settings: Settings, catalogue: Catalogue) -> dict[str, Any]:
    """The JSON form; its keys are an interface, and the same when the database cannot be reached."""
    try:
        async with connected(settings, patience=GLANCE) as (connection, place):
            return await gathered(connection, place, settings, catalogue)
    except (CommandFailed, EmbeddedError, DatabaseDown) as error:
        why = str(error)
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError, asyncpg.UndefinedFunctionError):
        why = "its schema is not there yet: run `sexton migrate` or `sexton run`"
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        if not means_lost(error) and not isinstance(error, REFUSED):
            raise
        why = str(error)
    return _form(False, why, [], {}, {}, [], [])


def _form(
    ready: bool, database: str, nodes: list[Any], queues: dict[str, Any], outbox: dict[str, Any], next_due: list[Any],
    attention: list[Any],
) -> dict[str, Any]:  # fmt: skip
    return {
        "version": VERSION,
        "ready": ready,
        "database": database,
        "nodes": nodes,
        "queues": queues,
        "outbox": outbox,
        "next_due": next_due,
        "attention": attention,
    }


async def gathered(
    connection: asyncpg.Connection, place: Opened, settings: Settings, catalogue: Catalogue
) -> dict[str, Any]:
    """The JSON form from a database that answers."""
    server = await connection.fetchrow(SERVER.text)
    assert server is not None
    nodes = [_node(row, place) for row in await connection.fetch(NODES.text)]
    known = await in_force.read(connection, catalogue, output.warn)
    coming = ((i.at, job) for job in known.jobs.values() for i in in_force.upcoming(job, server["now"], 1))
    due = sorted(coming, key=lambda pair: (pair[0], pair[1].name))[:UPCOMING]
    next_due = [{"job": job.name, "due_at": in_words.iso(at, in_force.zone_of(job))} for at, job in due]
    stands = await attention.standing(connection, known, settings.configured_channels, server["now"])
    where = f"{_place(settings, place)}, PostgreSQL {server['version'].partition(' ')[0]}"
    depths = {name: asdict(depth) for name, depth in stands.queues.items()}
    wanting = [{"kind": m.kind, m.of: m.name, "run": m.run, "text": m.told} for m in stands.matters]
    return _form(any(node["alive"] for node in nodes), where, nodes, depths, stands.messages, next_due, wanting)


def _place(settings: Settings, place: Opened) -> str:
    """Where the database is, without its password."""
    if place.embedded:
        return f"embedded in {settings.state_dir}"
    return store.place(place.urls.url)


def _node(row: asyncpg.Record, place: Opened) -> dict[str, Any]:
    said = json.loads(row["status"]) if row["status"] else {}
    alive = row["alive"] and not place.ours
    return {
        "name": row["name"],
        "incarnation": str(row["incarnation"]),
        "alive": alive,
        "uptime_s": round(row["uptime_s"], 1),
        "running": said.get("running", []) if alive else [],
        "pool": said.get("pool", {}),
        "loop_lag_ms": said.get("loop_lag_ms"),
    }
