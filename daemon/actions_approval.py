"""What a second person has to agree to: asked for, and decided; the action itself is carried out with the decision."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from daemon import actions, sql
from daemon.actions import Jobs
from daemon.actions_deed import Actor, Missing, NeedsSecond, Refused, deed
from daemon.jsonable import to_json

ASK, LOCK_APPROVAL, DECIDE, LISTED, COUNT_PENDING = sql.load(
    __file__, "ask", "lock_approval", "decide", "listed", "count_pending"
)
NEWS = "approval"


@dataclass(frozen=True, slots=True)
class Decided:
    """`runs`: the runs that the action made or changed; none when it was refused."""

    id: int
    approved: bool
    job: str
    runs: tuple[int, ...] = ()


async def ask(connection: asyncpg.Connection, wanted: NeedsSecond) -> int:
    """Keep for a day what is wanted; the id by which somebody else can agree to it."""
    actor = wanted.actor
    async with deed(connection, actor, "ask for approval") as doing:
        row = (await doing.fetch(
            ASK, wanted.action, wanted.job, to_json(wanted.payload), actor.who, actor.origin, actor.reason,
        ))[0]  # fmt: skip
        after = {"action": wanted.action, "job": wanted.job, **wanted.payload, "expires_at": row["expires_at"]}
        doing.did(f"approval {row['id']}", {}, after, NEWS)
    return int(row["id"])


async def approve(connection: asyncpg.Connection, actor: Actor, jobs: Jobs, approval: int) -> Decided:
    """Agree, and carry the action out in the same transaction, in the name of whoever asked.

    `jobs` as they are in force. Raises `Refused` when nobody waits for it, when the asker is oneself, and for
    whatever the action itself refuses; then nothing is decided.
    """
    async with connection.transaction():
        row = await _waiting(connection, approval)
        if row["asked_by"] == actor.who:
            raise Refused(f"approval {approval}: you asked for it, and a second person has to agree")
        await _decided(connection, actor, row, "approved")
        asker = Actor(row["asked_by"], row["origin"], row["reason"], two_person=True, agreed_by=actor.who)
        runs = await _carried_out(connection, asker, jobs, row)
    return Decided(approval, True, row["job"], runs)


async def refuse(connection: asyncpg.Connection, actor: Actor, approval: int) -> Decided:
    """Disagree, or take back what one asked for. Raises `Refused` when nobody waits for it."""
    async with connection.transaction():
        row = await _waiting(connection, approval)
        await _decided(connection, actor, row, "refused")
    return Decided(approval, False, row["job"])


async def _waiting(connection: asyncpg.Connection, approval: int) -> asyncpg.Record:
    row = await connection.fetchrow(LOCK_APPROVAL.text, approval)
    if row is None:
        raise Missing(f"there is no approval {approval}")
    if row["decision"] is not None:
        raise Refused(f"approval {approval} was {row['decision']} by {row['decided_by']}")
    if row["expired"]:
        raise Refused(f"approval {approval} has expired: {row['asked_by']} may ask again")
    return row


async def _decided(connection: asyncpg.Connection, actor: Actor, row: asyncpg.Record, decision: str) -> None:
    async with deed(connection, actor, "approve" if decision == "approved" else "refuse") as doing:
        await doing.fetch(DECIDE, row["id"], decision, actor.who)
        before = {"asked_by": row["asked_by"], "action": row["action"], "job": row["job"]}
        doing.did(f"approval {row['id']}", before, {"decision": decision}, NEWS)


async def _carried_out(
    connection: asyncpg.Connection, asker: Actor, jobs: Jobs, row: asyncpg.Record
) -> tuple[int, ...]:
    wanted: dict[str, Any] = json.loads(row["payload"])
    if row["action"] == "run":
        if row["job"] not in jobs:
            raise Refused(f"{row['job']} is not in this configuration")
        due_at = datetime.fromisoformat(wanted["due_at"])
        run = await actions.request_run(
            connection, asker, jobs[row["job"]], due_at=due_at, args=wanted["args"], again=wanted["again"]
        )
        return (run,)
    act = actions.retry_runs if row["action"] == "retry" else actions.waive_runs
    return tuple(run.id for run in await act(connection, asker, jobs, wanted["runs"]))
