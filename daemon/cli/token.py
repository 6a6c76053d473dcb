"""`sexton token`: who may use the admin, and who may no longer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncpg

from daemon import in_words
from daemon.actions_deed import Actor
from daemon.admin import tokens
from daemon.admin.keys import signing_key
from daemon.admin.roles import Role
from daemon.cli import output
from daemon.cli.common import BadUsage, Invocation, run_async
from daemon.cli.database import GLANCE, connected
from daemon.setting_types import parse_duration


def issue(invocation: Invocation, name: str, role: str, ttl: str, actor: Actor) -> int:
    """Print a new token alone on standard output, so that it can be piped; what goes with it on standard error."""
    try:
        allowed, good_for = Role.of(role), parse_duration(ttl)
    except ValueError as error:
        raise BadUsage(str(error)) from None
    assert isinstance(good_for, timedelta)
    key = signing_key(invocation.settings)

    async def main() -> tuple[str, Any]:
        async with connected(invocation.settings) as (connection, _):
            return await tokens.issue(connection, key, actor, name, allowed, good_for)

    text, ident = run_async(main)
    print(text)
    output.note(f"token {ident} of {name}, {allowed.word}, for {in_words.duration(good_for)}; it is shown this once")
    return 0


def revoke(invocation: Invocation, name_or_id: str, actor: Actor) -> int:
    async def main() -> list[Any]:
        async with connected(invocation.settings) as (connection, _):
            return await tokens.revoke(connection, actor, name_or_id)

    for ident in run_async(main):
        print(f"token {ident} is revoked, and every session that was opened with it")
    return 0


def show(invocation: Invocation, *, everything: bool, as_json: bool) -> int:
    async def main() -> Any:
        async with connected(invocation.settings, patience=GLANCE) as (connection, _):
            return await tokens.listed(connection, everything=everything)

    rows = run_async(main)
    headings = ("name", "role", "state", "issued", "by", "expires", "last used", "id")
    none = "no tokens" if everything else "no valid tokens; --all lists the others too"
    output.listing(rows, described, headings, _row, as_json=as_json, none=none)
    return 0


def described(row: asyncpg.Record) -> dict[str, Any]:
    """The JSON form; its keys are an interface."""
    return {
        "id": str(row["id"]),
        "name": row["name"],
        "role": row["role"],
        "valid": row["valid"],
        "issued_by": row["issued_by"],
        "issued_at": in_words.iso(row["issued_at"]),
        "expires_at": in_words.iso(row["expires_at"]),
        "last_used_at": in_words.iso(row["last_used_at"]),
        "revoked_by": row["revoked_by"],
        "revoked_at": in_words.iso(row["revoked_at"]),
    }


def _row(row: asyncpg.Record) -> tuple[str, ...]:
    state = "valid" if row["valid"] else f"revoked by {row['revoked_by']}" if row["revoked_by"] else "expired"
    return (
        row["name"], row["role"], state, in_words.moment(row["issued_at"]), row["issued_by"],
        in_words.moment(row["expires_at"]), in_words.moment(row["last_used_at"]), str(row["id"]),
    )  # fmt: skip
