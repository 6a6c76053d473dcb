"""`sexton approve`, and what commands do where a second person has to agree first (`admin.two_person`)."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import asyncpg

from daemon import actions_approval, in_force, in_words
from daemon.actions_approval import LISTED, Decided
from daemon.actions_deed import Actor, NeedsSecond
from daemon.cli import output
from daemon.cli.common import Invocation, run_async
from daemon.cli.database import GLANCE, connected

MOST = 1000


def one_of_two(invocation: Invocation, actor: Actor) -> Actor:
    """The actor as the configuration sees it: alone enough, or the first of two."""
    return replace(actor, two_person=invocation.settings.admin.two_person)


def or_ask(invocation: Invocation, main: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """The exit status of an action; if somebody else has to agree to it first, of having asked for that."""
    try:
        return run_async(main)
    except NeedsSecond as error:
        wanted = error

    async def ask() -> int:
        async with connected(invocation.settings) as (connection, _):
            return await actions_approval.ask(connection, wanted)

    number = run_async(ask)
    print(f"approval {number}")
    output.note(f"{wanted}; nothing is done until somebody else says: sexton approve {number}")
    return 0


def show(invocation: Invocation, *, as_json: bool) -> int:
    """What waits for a second person."""

    async def main() -> list[asyncpg.Record]:
        async with connected(invocation.settings, patience=GLANCE) as (connection, _):
            return await connection.fetch(LISTED.text, True, None, MOST)

    rows = run_async(main)
    headings = ("approval", "action", "job", "asked by", "at", "why")
    output.listing(rows, described, headings, _row, as_json=as_json, none="nothing waits for a second person")
    return 0


def described(row: asyncpg.Record) -> dict[str, Any]:
    """The JSON form; its keys are an interface."""
    return {
        "id": row["id"],
        "action": row["action"],
        "job": row["job"],
        "payload": json.loads(row["payload"]),
        "asked_by": row["asked_by"],
        "reason": row["reason"],
        "asked_at": in_words.iso(row["asked_at"]),
        "expires_at": in_words.iso(row["expires_at"]),
    }


def _row(row: asyncpg.Record) -> tuple[str, ...]:
    return (
        str(row["id"]), row["action"], row["job"], row["asked_by"], in_words.moment(row["asked_at"]), row["reason"],
    )  # fmt: skip


def decide(invocation: Invocation, approval: int, agrees: bool, actor: Actor) -> int:
    """Agree, which carries the action out, or not."""
    catalogue = invocation.catalogue

    async def main() -> Decided:
        async with connected(invocation.settings) as (connection, _):
            if not agrees:
                return await actions_approval.refuse(connection, actor, approval)
            known = await in_force.read(connection, catalogue, output.warn)
            return await actions_approval.approve(connection, actor, known.jobs, approval)

    decided = run_async(main)
    runs = f": run {output.listed(decided.runs)}" if decided.runs else ""
    print(f"approval {approval} ({decided.job}) is {'approved' if decided.approved else 'refused'}{runs}")
    return 0
