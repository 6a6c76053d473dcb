"""What a person may do to messages: send them again, hold them back, write to somebody no more or again. Audited."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import asyncpg

from daemon import sql
from daemon.actions_deed import Actor, Deed, Missing, NeedsReason, Refused, deed

LOCK_MESSAGES, RESEND, HOLD_BACK, WRITE_NO_MORE, WRITE_AGAIN = sql.load(
    __file__, "lock_messages", "resend", "hold_back", "write_no_more", "write_again"
)
NEWS = "outbox"
RESENDABLE = ("failed", "unknown", "suppressed")
HELD_BACK = ("pending", "failed", "unknown")


async def resend_messages(
    connection: asyncpg.Connection, actor: Actor, messages: Sequence[int], *, again: bool = False
) -> None:
    """Messages that did not go out are tried anew; `again`: also those that did, which needs a reason.

    Raises `Refused` with every one that cannot be, and `NeedsReason`; then none is.
    """
    if again and not (actor.reason or "").strip():
        raise NeedsReason("what was sent would be sent a second time")
    wanted = (*RESENDABLE, "sent") if again else RESENDABLE

    def why_not(row: asyncpg.Record) -> str | None:
        if row["state"] in wanted:
            return None
        return "was sent; say `again` to send it a second time" if row["state"] == "sent" else f"is {row['state']}"

    async with deed(connection, actor, "resend message") as doing:
        rows = await _judged(doing, messages, why_not)
        await doing.fetch(RESEND, list(messages))
        _did(doing, rows, "pending")


async def suppress_messages(connection: asyncpg.Connection, actor: Actor, messages: Sequence[int]) -> None:
    """Messages that have not gone out never will. Raises `Refused` with every one that is being sent or was."""
    async with deed(connection, actor, "suppress message") as doing:
        rows = await _judged(doing, messages, lambda r: None if r["state"] in HELD_BACK else f"is {r['state']}")
        await doing.fetch(HOLD_BACK, list(messages), f"suppressed by {actor.who}")
        _did(doing, rows, "suppressed")


async def write_no_more(
    connection: asyncpg.Connection, actor: Actor, suite: str, recipient: str, channel: str, reason: str
) -> None:
    """Nothing of any kind is sent to this recipient (or address) of a suite on this channel any more."""
    async with deed(connection, actor, "suppress recipient") as doing:
        await doing.fetch(WRITE_NO_MORE, suite, recipient, channel, reason)
        doing.did(f"{suite or 'engine'} {recipient} {channel}", {}, {"suppressed": reason}, NEWS)


async def write_again(connection: asyncpg.Connection, actor: Actor, suite: str, recipient: str, channel: str) -> None:
    """Undo a suppression. Raises `Missing` when there is none."""
    async with deed(connection, actor, "unsuppress recipient") as doing:
        rows = await doing.fetch(WRITE_AGAIN, suite, recipient, channel)
        if not rows:
            raise Missing(f"{recipient} is not suppressed on {channel}")
        before = {"suppressed": rows[0]["reason"], "address": rows[0]["address"], "at": rows[0]["at"]}
        doing.did(f"{suite or 'engine'} {recipient} {channel}", before, {"suppressed": None}, NEWS)


async def _judged(
    doing: Deed, messages: Sequence[int], why_not: Callable[[asyncpg.Record], str | None]
) -> Sequence[asyncpg.Record]:
    """The rows, locked. Raises `Refused` with every message that does not exist or is refused: all or nothing."""
    rows = await doing.fetch(LOCK_MESSAGES, list(messages))
    problems = [f"there is no message {m}" for m in sorted(set(messages) - {row["id"] for row in rows})]
    if problems and not rows:
        raise Missing(*problems)
    problems += [f"message {row['id']} {why}" for row in rows if (why := why_not(row)) is not None]
    if problems:
        raise Refused(*problems)
    return rows


def _did(doing: Deed, rows: Sequence[asyncpg.Record], state: str) -> None:
    for row in rows:
        before = {key: row[key] for key in ("state", "channel", "template", "last_error", "settled_at")}
        doing.did(f"message {row['id']}", before, {"state": state}, NEWS)
