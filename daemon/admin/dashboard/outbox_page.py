"""Messages: found, sent again, held back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal, get_args

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response

from daemon.admin.access import Caller, Viewer
from daemon.admin.api.outbox import Channel, MessageState, list_messages, list_suppressions, show_message
from daemon.admin.dashboard.watching import watched
from daemon.admin.live import Part
from daemon.admin.models import RunId, Text
from daemon.admin.pages import page_for, rendered
from daemon.admin.paging import Cursor, asked
from daemon.admin.state import AdminState, State

PER_PAGE = 100

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Sought:
    """What the form above the list asks for; empty for any. `cursor`: the page of it."""

    state: MessageState | Literal[""]
    channel: Channel | Literal[""]
    to: str
    cursor: str | None

    @property
    def query(self) -> str:
        return asked(to=self.to, state=self.state, channel=self.channel, cursor=self.cursor)


def sought(
    cursor: Cursor = None, in_state: Annotated[MessageState | Literal[""], Query(alias="state")] = "",
    channel: Channel | Literal[""] = "", to: Annotated[Text, Query(max_length=500)] = "",
) -> Sought:  # fmt: skip
    return Sought(in_state, channel, to, cursor)


Filter = Annotated[Sought, Depends(sought)]


@router.get("/outbox")
async def list_outbox(state: State, caller: Viewer, wanted: Filter) -> Response:
    return page_for(
        caller, "outbox.html", "Outbox", list=await list_html(state, caller, wanted), query=wanted.query,
        state=wanted.state, channel=wanted.channel, to=wanted.to, states=get_args(MessageState),
        channels=get_args(Channel),
    )  # fmt: skip


@router.get("/live/outbox")
async def live_outbox(request: Request, state: State, caller: Viewer, wanted: Filter) -> Response:
    """The same page of messages that the reader has before them."""
    return await watched(
        request, state, list=Part(f"outbox {wanted.query}", lambda: list_html(state, caller, wanted))
    )  # fmt: skip


async def list_html(state: AdminState, caller: Caller, wanted: Sought) -> str:
    """Raises `DatabaseDown` and `TooBusy`."""
    found = await list_messages(
        state, caller, PER_PAGE, wanted.cursor, [wanted.state] if wanted.state else None,
        [wanted.channel] if wanted.channel else None, to=wanted.to or None,
    )  # fmt: skip
    return rendered(
        "outbox_list.html", messages=found.items, next=found.next, older=replace(wanted, cursor=found.next).query,
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


TheMessage = Annotated[RunId, Path()]


@router.get("/outbox/{message:int}")
async def show(state: State, caller: Viewer, message: TheMessage) -> Response:
    found = await show_message(state, caller, message)
    return page_for(caller, "message.html", "Outbox", message=found, now=rendered("message_now.html", message=found))


@router.get("/live/outbox/{message:int}")
async def live_message(request: Request, state: State, caller: Viewer, message: TheMessage) -> Response:
    return await watched(
        request, state, now=Part(f"message {message}", lambda: message_html(state, caller, message))
    )  # fmt: skip


async def message_html(state: AdminState, caller: Caller, message: int) -> str:
    """Raises 404, `DatabaseDown` and `TooBusy`."""
    return rendered("message_now.html", message=await show_message(state, caller, message))
