"""Who may use the admin: tokens are looked at and revoked here."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from daemon.admin.access import Administrator
from daemon.admin.api.access_tokens import list_tokens
from daemon.admin.pages import page_for
from daemon.admin.state import State

router = APIRouter(include_in_schema=False)


@router.get("/tokens")
async def show_tokens(
    state: State, caller: Administrator, everything: Annotated[bool, Query(alias="all")] = False
) -> Response:
    tokens = await list_tokens(state, caller, everything)
    return page_for(caller, "tokens.html", "Tokens", tokens=tokens, everything=everything)
