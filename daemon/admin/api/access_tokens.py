"""Who may use the admin: tokens are seen and revoked here, and made where the signing key is, by `sexton token`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel

from daemon.admin import tokens
from daemon.admin.access import Administrator
from daemon.admin.models import Text
from daemon.admin.problems import described
from daemon.admin.state import State

NameOrId = Annotated[Text, Path(max_length=tokens.LONGEST_NAME)]

router = APIRouter(prefix="/api/v1", tags=["access"])


class AccessToken(BaseModel):
    """`last_used_at` is right to five minutes."""

    id: UUID
    name: str
    role: str
    valid: bool
    issued_by: str
    issued_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_by: str | None
    revoked_at: datetime | None


@router.get("/tokens")
async def list_tokens(
    state: State, _: Administrator,
    everything: Annotated[bool, Query(alias="all", description="The expired and revoked ones too.")] = False,
) -> list[AccessToken]:  # fmt: skip
    """The tokens there are, the newest first, at most a thousand."""
    async with state.database.reading() as connection:
        return [AccessToken(**row) for row in await tokens.listed(connection, everything=everything)]


@router.delete("/tokens/{token}", status_code=204, responses=described(404))
async def revoke_token(
    state: State, caller: Administrator, token: NameOrId, reason: Annotated[Text | None, Query(max_length=1000)] = None
) -> None:
    """By id one, by name all of that name: worthless at once, on every node, with the sessions opened with them."""
    async with state.database.acting() as connection:
        await tokens.revoke(connection, caller.actor(reason), token)
