"""`sexton token`: made, listed, revoked, by name and by id."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from daemon.admin import tokens
from daemon.admin.keys import OWN_KEY
from daemon.admin.roles import Role
from tests.daemon.cli.console import Console

SECRET = "a secret of at least thirty-two octets"
KEYS = [
    "id", "name", "role", "valid", "issued_by", "issued_at", "expires_at", "last_used_at", "revoked_by", "revoked_at",
]  # fmt: skip


@pytest.fixture
def signing(sexton: Console) -> Console:
    return Console({**sexton.environment, "JWT_SECRET": SECRET}, sexton.capture, sexton.patch)


async def test_a_token_is_printed_alone_and_lets_its_holder_in(
    signing: Console, connection: asyncpg.Connection
) -> None:
    done = (await signing.beside("token", "--name", "asha", "--role", "operator", "--ttl", "2h")).ok()
    claims = tokens.read(done.out.strip(), SECRET, tokens.FOR_API)
    assert (claims.name, claims.role) == ("asha", Role.OPERATOR)
    holder, _ = await tokens.admitted(connection, claims)
    issued = await connection.fetchval("SELECT issued_at FROM sexton.access_token")
    assert holder.expires_at - issued == timedelta(hours=2)
    assert done.err == f"token {claims.id} of asha, operator, for 2 h; it is shown this once\n"
    audit = await connection.fetchrow("SELECT who, action, target, after::text FROM sexton.audit")
    assert audit is not None
    assert (audit["who"], audit["action"], audit["target"]) == ("ann", "issue token", "token asha")
    assert done.out.strip() not in audit["after"]


def test_without_a_secret_it_is_signed_with_the_nodes_own_key(sexton: Console) -> None:
    text = sexton("token", "--name", "asha").ok().out.strip()
    key = Path(sexton.environment["SEXTON_DATABASE__STATE_DIR"], OWN_KEY).read_text(encoding="ascii")
    assert tokens.read(text, key, tokens.FOR_API).role is Role.VIEWER


def test_tokens_are_listed_and_revoked_by_name_and_by_id(signing: Console) -> None:
    for name in ("asha", "asha", "bo"):
        signing("token", "--name", name).ok()
    listed = signing("token", "--list", "--json").ok().json
    assert all(list(row) == KEYS for row in listed)
    assert sorted(row["name"] for row in listed) == ["asha", "asha", "bo"]
    assert signing("token", "--revoke", "asha").ok().out.count("is revoked") == 2
    (left,) = signing("token", "--list", "--json").ok().json
    UUID(left["id"])
    assert "bo" in signing("token", "--list").ok().out
    signing("token", "--revoke", left["id"]).ok()
    assert signing("token", "--list").ok().err == "no valid tokens; --all lists the others too\n"
    assert signing("token", "--list", "--all").ok().out.count("revoked by ann") == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--name", "asha", "--role", "root"), "'root' is no role: viewer, operator or admin"),
        (("--name", "asha", "--ttl", "long"), "write a duration"),
        (("--name", "asha", "--ttl", "0s"), "good for more than nothing"),
        (("--name", ""), "a name has 1 to 200 characters"),
        ((), "say one of --name WHO, --list and --revoke WHO|ID"),
        (("--list", "--name", "asha"), "say one of --name WHO, --list and --revoke WHO|ID"),
    ],
)
def test_what_cannot_be_a_token_is_refused(signing: Console, arguments: tuple[str, ...], said: str) -> None:
    done = signing("token", *arguments)
    assert done.status == 2
    assert said in done.err


def test_revoking_what_is_not_there_says_where_to_look(signing: Console) -> None:
    done = signing("token", "--revoke", "nobody")
    assert (done.status, done.err) == (
        1, "error: nobody: no valid token has this name or id; see: sexton token --list\n",
    )  # fmt: skip
