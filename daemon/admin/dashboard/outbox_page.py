"""Messages: found, sent again, held back."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from daemon.admin.access import Viewer
from daemon.admin.api.outbox import Channel, MessageState, list_messages, list_suppressions, show_message
from daemon.admin.models import RunId, Text
from daemon.admin.pages import page_for
from daemon.admin.paging import Cursor
from daemon.admin.state import State

PER_PAGE = 100

router = APIRouter(include_in_schema=False)


@router.get("/outbox")
async def list_outbox(
    state: State, caller: Viewer, cursor: Cursor = None,
    in_state: Annotated[MessageState | Literal[""], Query(alias="state")] = "",
    channel: Channel | Literal[""] = "", to: Annotated[Text, Query(max_length=500)] = "",
) -> Response:  # fmt: skip
    found = await list_messages(
        state, caller, PER_PAGE, cursor, [in_state] if in_state else None, [channel] if channel else None, to=to or None
    )
    return page_for(
        caller, "outbox.html", "Outbox", messages=found.items, next=found.next, state=in_state,
        channel=channel, to=to, states=get_args(MessageState), channels=get_args(Channel),
        here_configured=state.settings.configured_channels,
    )  # fmt: skip


@router.get("/outbox/suppressions")
async def show_suppressions(
    state: State, caller: Viewer, cursor: Cursor = None, recipient: Annotated[Text, Query(max_length=500)] = ""
) -> Response:
    found = await list_suppressions(state, caller, PER_PAGE, cursor, recipient or None)
    return page_for(
        caller, "suppressions.html", "Outbox", found=found.items, next=found.next, recipient=recipient,
        suites=sorted(state.catalogue.packages), channels=get_args(Channel),
    )  # fmt: skip


@router.get("/outbox/{message:int}")
async def show(state: State, caller: Viewer, message: Annotated[RunId, Path()]) -> Response:
    return page_for(caller, "message.html", "Outbox", message=await show_message(state, caller, message))
