"""Messages: found, sent again, held back; and who is not written to any more."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field, Strict, StrictBool

from daemon import actions_messages, sql
from daemon.admin.access import Operator, Viewer
from daemon.admin.models import Moment, RunId, Text, Why
from daemon.admin.paging import Cursor, Limit, Page, decoded, page_of
from daemon.admin.problems import Problematic, described
from daemon.admin.state import AdminState, State

MESSAGES, MESSAGE, SUPPRESSIONS = sql.load(__file__, "messages", "message", "suppressions")

router = APIRouter(prefix="/api/v1", tags=["outbox"])
MessageState = Literal["pending", "sending", "sent", "failed", "suppressed", "unknown"]
Channel = Literal["email", "sms", "slack", "discord"]
Kind = Literal["transactional", "security", "promotional", "alert"]
Word = Annotated[Text | None, Query(max_length=200)]


class MessageSummary(BaseModel):
    """`unknown`: it may have arrived, and is of a kind that is not sent twice."""

    id: int
    suite: str
    recipient: str | None
    address: str | None
    channel: Channel
    template: str
    kind: Kind
    dedupe_key: str
    state: MessageState
    not_before: datetime
    expires_at: datetime | None
    attempts: int
    failures: int
    last_error: str | None
    provider_id: str | None
    run: int | None
    created_at: datetime
    settled_at: datetime | None


class MessageDetail(MessageSummary):
    """With what its template is filled with."""

    data: Any


class SomeMessages(Why):
    messages: list[Annotated[RunId, Strict()]] = Field(min_length=1, max_length=500)


class Resend(SomeMessages):
    again: StrictBool = Field(default=False, description="Also what was sent before; needs a reason.")


class Suppression(BaseModel):
    """`address`: it holds for that address only, and a new one is tried again."""

    suite: str
    recipient: str
    channel: str
    reason: str
    address: str | None
    at: datetime


class Recipient(Why):
    """Whom not to write to: a recipient's id in its suite, or an address for messages that were given one."""

    suite: Text = Field(default="", max_length=100)
    recipient: Text = Field(min_length=1, max_length=500)
    channel: Channel


@router.get("/outbox")
async def list_messages(
    state: State, _: Viewer, limit: Limit = 50, cursor: Cursor = None,
    in_state: Annotated[list[MessageState] | None, Query(alias="state")] = None,
    channel: Annotated[list[Channel] | None, Query()] = None,
    suite: Word = None, kind: Kind | None = None, template: Word = None,
    to: Annotated[Text | None, Query(max_length=500, description="A recipient, an address, or a key.")] = None,
    since: Moment | None = None, until: Moment | None = None,
) -> Page[MessageSummary]:  # fmt: skip
    """Messages, the newest first."""
    (last,) = decoded(cursor, int)
    terms = (in_state, channel, suite, kind, template, to, since, until)
    rows = await state.database.fetch(MESSAGES, *terms, last, limit + 1)
    return page_of(rows, limit, lambda row: MessageSummary(**row), lambda row: (row["id"],))


@router.get("/outbox/{message:int}", responses=described(404))
async def show_message(state: State, _: Viewer, message: Annotated[RunId, Path()]) -> MessageDetail:
    """One message, with its data."""
    row = await state.database.fetchrow(MESSAGE, message)
    if row is None:
        raise Problematic(404, f"there is no message {message}")
    return MessageDetail(**{**row, "data": json.loads(row["data"])})


@router.post("/outbox/resend", responses=described(404, 409))
async def resend(state: State, caller: Operator, body: Resend) -> list[MessageSummary]:
    """Failed, unknown and suppressed messages are tried anew, under the same Message-ID."""
    async with state.database.acting() as connection:
        actor = caller.actor(body.reason)
        await actions_messages.resend_messages(connection, actor, body.messages, again=body.again)
    return await _shown(state, body.messages)


@router.post("/outbox/suppress", responses=described(404, 409))
async def suppress(state: State, caller: Operator, body: SomeMessages) -> list[MessageSummary]:
    """Messages that have not gone out never will."""
    async with state.database.acting() as connection:
        await actions_messages.suppress_messages(connection, caller.actor(body.reason), body.messages)
    return await _shown(state, body.messages)


async def _shown(state: AdminState, messages: list[int]) -> list[MessageSummary]:
    rows = [await state.database.fetchrow(MESSAGE, message) for message in messages]
    return [MessageSummary(**row) for row in rows if row is not None]


@router.get("/suppressions")
async def list_suppressions(
    state: State, _: Viewer, limit: Limit = 50, cursor: Cursor = None,
    recipient: Annotated[Text | None, Query(max_length=500)] = None,
) -> Page[Suppression]:  # fmt: skip
    """Who is not written to any more."""
    rows = await state.database.fetch(SUPPRESSIONS, recipient, *decoded(cursor, str, str, str), limit + 1)
    return page_of(
        rows, limit, lambda row: Suppression(**row), lambda row: (row["suite"], row["recipient"], row["channel"])
    )


@router.put("/suppressions", status_code=204)
async def write_no_more(state: State, caller: Operator, body: Recipient) -> None:
    """Nothing of any kind is sent there any more."""
    reason = f"suppressed by {caller.name}" + (f": {body.reason}" if body.reason else "")
    async with state.database.acting() as connection:
        await actions_messages.write_no_more(
            connection, caller.actor(body.reason), body.suite, body.recipient, body.channel, reason
        )


@router.delete("/suppressions", status_code=204, responses=described(404))
async def write_again(
    state: State, caller: Operator, channel: Channel, recipient: Annotated[Text, Query(min_length=1, max_length=500)],
    suite: Annotated[Text, Query(max_length=100)] = "",
    reason: Annotated[Text | None, Query(max_length=1000)] = None,
) -> None:  # fmt: skip
    """Messages are sent there again."""
    async with state.database.acting() as connection:
        await actions_messages.write_again(connection, caller.actor(reason), suite, recipient, channel)
