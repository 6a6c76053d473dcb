"""Tokens: signed JSON Web Tokens (HS256) whose rows can be revoked. A session is one that a browser holds in a cookie.

RFC 7519; after RFC 8725 the algorithm is pinned, and issuer, audience, expiry and id are required.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg

from daemon import sql
from daemon.actions_deed import Actor, Invalid, Missing, deed
from daemon.admin.roles import Role

ISSUE, IN_FORCE, NOTE_USE, LISTED, REVOCABLE, REVOKE, CLOSE_SESSION = sql.load(
    __file__, "issue", "in_force", "note_use", "listed", "revocable", "revoke", "close_session"
)

ALGORITHM = "HS256"
ISSUER = "sexton"
FOR_API, FOR_BROWSER = "sexton-admin", "sexton-session"
"""Audiences: a token is no cookie, and a cookie no token."""
REQUIRED = ["iss", "aud", "sub", "role", "iat", "exp", "jti"]
CLOCKS_APART = timedelta(seconds=30)
LONGEST_NAME = 200
LONGEST_TTL = timedelta(days=3650)
FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)
NEWS = "token"


class NotAdmitted(Exception):
    """A token that lets nobody in. The message is for the log: whoever sent it learns only that it is not valid."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says that was signed with our key."""

    id: UUID
    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose token it is. `expires_at` is the database's word, not the token's."""

    id: UUID
    name: str
    role: Role
    expires_at: datetime


async def issue(
    connection: asyncpg.Connection, key: str, actor: Actor, name: str, role: Role, ttl: timedelta
) -> tuple[str, UUID]:
    """A new token and its id; audited, the token itself kept nowhere. Raises `Invalid`."""
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise Invalid(f"a name has 1 to {LONGEST_NAME} characters that can be printed")
    if not timedelta(0) < ttl <= LONGEST_TTL:
        raise Invalid("a token is good for more than nothing and at most ten years")
    async with deed(connection, actor, "issue token") as doing:
        row = (await doing.fetch(ISSUE, name, role.word, None, actor.who, ttl, FOR_EVER))[0]
        after = {"id": row["id"], "role": role.word, "expires_at": row["expires_at"]}
        doing.did(f"token {name}", {}, after, NEWS)
    return _signed(key, FOR_API, name, role, row), row["id"]


async def open_session(
    connection: asyncpg.Connection, key: str, actor: Actor, holder: Holder, ttl: timedelta
) -> tuple[str, Holder]:
    """What a browser keeps after a login: good for so long, and never longer than the token. Audited."""
    async with deed(connection, actor, "log in") as doing:
        row = (await doing.fetch(ISSUE, holder.name, holder.role.word, holder.id, holder.name, ttl, holder.expires_at))[
            0
        ]
        after = {"token": holder.id, "role": holder.role.word, "expires_at": row["expires_at"]}
        doing.did(f"session {row['id']}", {}, after, NEWS)
    opened = Holder(row["id"], holder.name, holder.role, row["expires_at"])
    return _signed(key, FOR_BROWSER, holder.name, holder.role, row), opened


async def close_session(connection: asyncpg.Connection, actor: Actor, session: UUID) -> None:
    """It is worthless from now on, also to whoever copied the cookie. Audited. What is no session stays as it is."""
    async with deed(connection, actor, "log out") as doing:
        if await doing.fetch(CLOSE_SESSION, session):
            doing.did(f"session {session}", {"revoked": False}, {"revoked": True}, NEWS)


def _signed(key: str, audience: str, name: str, role: Role, row: asyncpg.Record) -> str:
    import jwt  # with all that it brings an eighth of a start, and of the memory of a daemon that nobody asks

    claims = {
        "iss": ISSUER, "aud": audience, "sub": name, "role": role.word, "jti": str(row["id"]),
        "iat": row["issued_at"], "exp": row["expires_at"],
    }  # fmt: skip
    return jwt.encode(claims, key, algorithm=ALGORITHM)


def read(text: str, key: str, audience: str) -> Claims:
    """PURE but for the clock: what a token says, if it was signed with our key for this use. Raises `NotAdmitted`."""
    import jwt

    try:
        claims = jwt.decode(
            text, key, algorithms=[ALGORITHM], audience=audience, issuer=ISSUER, leeway=CLOCKS_APART,
            options={"require": REQUIRED},
        )  # fmt: skip
        return Claims(UUID(claims["jti"]), str(claims["sub"]), Role.of(str(claims["role"])))
    except (jwt.InvalidTokenError, ValueError) as error:
        raise NotAdmitted(f"{type(error).__name__}: {error}") from error


async def admitted(connection: asyncpg.Connection, claims: Claims) -> tuple[Holder, bool]:
    """Whose it is, and whether its use is worth noting. Raises `NotAdmitted` if revoked, expired or unknown here."""
    row = await connection.fetchrow(IN_FORCE.text, claims.id)
    if row is None:
        raise NotAdmitted(f"token {claims.id} of {claims.name} is revoked, expired or unknown")
    if (row["name"], row["role"]) != (claims.name, claims.role.word):
        raise NotAdmitted(f"token {claims.id} claims to be {claims.name}'s, {claims.role.word}")
    return Holder(claims.id, claims.name, claims.role, row["expires_at"]), row["worth_noting"]


async def revoke(connection: asyncpg.Connection, actor: Actor, name_or_id: str) -> list[UUID]:
    """The valid tokens of this name, or the one of this id, and their sessions. Raises `Missing` if there is none."""
    async with deed(connection, actor, "revoke token") as doing:
        rows = await doing.fetch(REVOCABLE, name_or_id)
        if not rows:
            raise Missing(f"{name_or_id}: no valid token has this name or id; see: sexton token --list")
        await doing.fetch(REVOKE, [row["id"] for row in rows], actor.who)
        for row in rows:
            before = {"id": row["id"], "role": row["role"], "revoked": False}
            doing.did(f"token {row['name']}", before, {"revoked": True}, NEWS)
    return [row["id"] for row in rows]


async def listed(connection: asyncpg.Connection, *, everything: bool = False) -> Sequence[asyncpg.Record]:
    return await connection.fetch(LISTED.text, everything)
