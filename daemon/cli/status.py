"""`sexton status`: is somebody at work, on what, and what wants a person's attention."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import asyncpg

from daemon import in_force, sql, store
from daemon.catalogue import Catalogue
from daemon.cli import output
from daemon.cli.common import CommandFailed, Invocation, run_async
from daemon.cli.database import GLANCE, Opened, connected
from daemon.cli.status_messages import outbox, what_is_wrong
from daemon.cli.status_text import print_status
from daemon.database import DatabaseDown, means_lost
from daemon.embedded_errors import EmbeddedError
from daemon.queue import WorkQueue
from daemon.settings import Settings
from daemon.version import VERSION

(SERVER, NODES, QUEUES, TROUBLE, PAUSED_JOBS) = sql.load(
    __file__, "server", "nodes", "queues", "trouble", "paused_jobs"
)
UPCOMING = 10
VERBS = {
    "failed": "failed for good",
    "held": "held for a person",
    "late": "ready, but not started",
    "missed": "missed in the last day",
}


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
        if not means_lost(error) and not isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):
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
    queues, broken = await _queues(connection)
    known = await in_force.read(connection, catalogue, output.warn)
    coming = ((i.at, job) for job in known.jobs.values() for i in in_force.upcoming(job, server["now"], 1))
    due = sorted(coming, key=lambda pair: (pair[0], pair[1].name))[:UPCOMING]
    next_due = [{"job": job.name, "due_at": output.iso(at, in_force.zone_of(job))} for at, job in due]
    attention = [*await _troubles(connection, list(catalogue.jobs)), *_dead_items(queues), *broken]
    messages = await outbox(connection)
    attention += [
        _attention(kind, channel=channel, text=text)
        for kind, channel, text in what_is_wrong(messages, settings.configured_channels)
    ]
    attention += await _pauses(connection, list(catalogue.jobs))
    where = f"{_place(settings, place)}, PostgreSQL {server['version'].partition(' ')[0]}"
    return _form(any(node["alive"] for node in nodes), where, nodes, queues, messages, next_due, attention)


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


async def _queues(connection: asyncpg.Connection) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The depth of every queue a suite ever registered; one whose table is gone is a matter for attention."""
    depths: dict[str, Any] = {}
    broken = []
    for row in await connection.fetch(QUEUES.text):
        if not row["there"]:
            broken.append(_attention("queue", queue=row["name"], text="its table is not there: is its suite migrated?"))
            continue
        depth = await connection.fetchrow(WorkQueue(row["name"], row["key"]).statements["depth"].text)
        assert depth is not None
        depths[row["name"]] = {
            "ready": depth["ready"],
            "running": depth["running"],
            "dead": depth["dead"],
            "oldest_age_s": round(depth["oldest_age_s"], 1),
        }
    return depths, broken


def _attention(kind: str, *, text: str, run: int | None = None, **of: str) -> dict[str, Any]:
    """{kind, job | queue | channel, run, text}."""
    return {"kind": kind, **of, "run": run, "text": text}


async def _troubles(connection: asyncpg.Connection, jobs: Sequence[str]) -> list[dict[str, Any]]:
    found = []
    for row in await connection.fetch(TROUBLE.text, jobs):
        many = f"{row['instants']} times, " if row["instants"] > 1 else ""
        why = f": {' '.join(row['why'].split())[:200]}" if row["why"] else ""
        text = f"{VERBS[row['kind']]}, {many}last due {output.moment(row['due_at'])}{why}"
        found.append(_attention(row["kind"], job=row["job"], run=row["run"], text=text))
    return found


def _dead_items(queues: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        _attention("dead", queue=name, text=f"{depth['dead']} dead; to try them again: sexton retry {name} --all")
        for name, depth in queues.items()
        if depth["dead"]
    ]


async def _pauses(connection: asyncpg.Connection, jobs: Sequence[str]) -> list[dict[str, Any]]:
    return [
        _attention("paused", job=r["name"], text=f"paused by {r['paused_by']} since {output.moment(r['paused_at'])}")
        for r in await connection.fetch(PAUSED_JOBS.text, jobs)
    ]
