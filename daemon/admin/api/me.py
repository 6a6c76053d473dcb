"""Who one is, and what a page must send along with each change."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from daemon.admin.access import Viewer

router = APIRouter(prefix="/api/v1", tags=["access"])


class Me(BaseModel):
    """`csrf`: what a browser's session sends with each change, as the header X-CSRF-Token. Empty for a token."""

    name: str
    role: str
    token: UUID
    expires_at: datetime
    csrf: str


@router.get("/me")
async def me(caller: Viewer) -> Me:
    """Whose token this is, what it allows, and until when."""
    return Me(
        name=caller.name, role=caller.role.word, token=caller.holder.id, expires_at=caller.holder.expires_at,
        csrf=caller.csrf,
    )  # fmt: skip
