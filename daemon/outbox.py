"""Leaving a message: `tx.notify` checks it and writes its row in the job's own transaction. Delivery is elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daemon import sql
from daemon.jsonable import storable, to_json
from daemon.naming import did_you_mean

if TYPE_CHECKING:
    from daemon.connections import Session

NOTIFY, WHOSE_KEY = sql.load(__file__, "notify", "whose_key")

CHANNELS = ("email", "sms", "slack", "discord")
CHAT = ("slack", "discord")
KINDS = ("transactional", "security", "promotional", "alert")
LONGEST_KEY = 500
LONGEST_ADDRESS = 320

Missing = Callable[[str, str, str], Path | None]


class MessageError(ValueError):
    """What `tx.notify` was given cannot become a message. Says what, and what to write instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One message as a job leaves it. Raises `MessageError` when made of something impossible.

    `to` is an id in the suite's view `sexton_recipient`; `address` is given instead. A chat channel has one target,
    which needs neither.
    """

    template: str
    key: str
    to: str | int | None = None
    address: str | None = None
    channel: str = "email"
    data: Mapping[str, Any] | None = None
    kind: str = "transactional"
    not_before: datetime | None = None
    expires_at: datetime | None = None

    def __post_init__(self) -> None:
        for what, value, allowed in (("channel", self.channel, CHANNELS), ("kind", self.kind, KINDS)):
            if value not in allowed:
                raise MessageError(f"{what}={value!r}: one of {', '.join(allowed)}{did_you_mean(value, allowed)}")
        if not self.key or len(self.key) > LONGEST_KEY:
            raise MessageError(f"key={self.key!r}: 1 to {LONGEST_KEY} characters that name this message alone")
        self._check_receiver()
        self._check_times()

    def _check_receiver(self) -> None:
        if self.to is not None and self.address is not None:
            raise MessageError(f"to={self.to!r} and address={self.address!r}: give one of them")
        if self.to is None and self.address is None and self.channel not in CHAT:
            raise MessageError(f"nobody to write to: give to= (an id in sexton_recipient) or address= ({self.channel})")
        if self.address is not None and (
            len(self.address) > LONGEST_ADDRESS or not (self.address.isprintable() and self.address.strip())
        ):
            raise MessageError(f"address={self.address!r}: one line of at most {LONGEST_ADDRESS} characters")

    def _check_times(self) -> None:
        for what, at in (("not_before", self.not_before), ("expires_at", self.expires_at)):
            if at is not None and at.tzinfo is None:
                raise MessageError(f"{what}={at}: without a zone; use ctx.now() or a datetime with tzinfo")
        if self.not_before and self.expires_at and self.expires_at <= self.not_before:
            raise MessageError(f"expires_at={self.expires_at} is not after not_before={self.not_before}")

    @property
    def recipient(self) -> str | None:
        return None if self.to is None else str(self.to)

    @property
    def target(self) -> str | None:
        """The address to keep: an empty one means the one target of a chat channel."""
        return "" if self.to is None and self.address is None else self.address


async def leave(tx: Session, suite: str, run: int | None, letter: Letter, missing: Missing) -> bool:
    """Write the row in `tx`, which belongs to `suite`. True when it is new, False when its key was there before.

    Raises `MessageError` without a template, naming the file wanted, and for a key that another suite has taken.
    """
    wanted = missing(suite, letter.template, letter.channel)
    if wanted is not None:
        raise MessageError(f"template={letter.template!r}: there is no {wanted}")
    row = await tx.fetchval(
        NOTIFY, suite, run, letter.recipient, letter.target, letter.channel, letter.template,
        to_json(letter.data or {}), letter.kind, storable(letter.key), letter.not_before, letter.expires_at,
    )  # fmt: skip
    if row is None:
        owner = await tx.fetchval(WHOSE_KEY, storable(letter.key))
        if owner is not None and owner != suite:
            raise MessageError(f"key={letter.key!r}: taken by a message of {owner!r}; begin keys with {suite!r}")
    return row is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """One claimed message. `token` is its fence: only its holder of the moment can settle it.

    `attempts` counts this claim: above 1, an earlier try may have got through.
    """

    id: int
    token: int
    suite: str
    recipient: str | None
    address: str | None
    channel: str
    template: str
    data: Mapping[str, Any]
    kind: str
    dedupe_key: str
    expires_at: datetime | None = None
    attempts: int = 1
    failures: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """A person as the view `<suite>.sexton_recipient` tells of them now. `opted_out`: channels or kinds."""

    id: str
    email: str | None = None
    phone: str | None = None
    timezone: str | None = None
    locale: str | None = None
    quiet_start: time | None = None
    quiet_end: time | None = None
    opted_out: tuple[str, ...] = ()
    deleted: bool = False

    def address(self, channel: str) -> str | None:
        """Where the channel reaches them; None: it does not. Chat channels have one target."""
        if channel in CHAT:
            return ""
        return (self.email if channel == "email" else self.phone) or None
