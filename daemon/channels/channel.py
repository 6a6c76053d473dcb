"""What the delivery loop and a channel say to each other: a message goes in, a delivery comes out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Protocol


class Verdict(StrEnum):
    """What became of a message, in the words that the delivery loop acts upon."""

    SENT = "sent"
    RETRY = "retry"  # this message later: 4xx of a mail server, 5xx of a web service
    BUSY = "busy"  # the channel takes no more just now (429): everything later, and no message is to blame
    REJECTED = "rejected"  # this message never: no such mailbox, no such number
    OPTED_OUT = "opted_out"  # this person never again on this channel
    UNKNOWN = "unknown"  # it may have arrived, and a second one would be worse than none
    DOWN = "down"  # the channel itself is away or refuses us: no message is to blame
    DISABLED = "disabled"  # the target is gone for good, until somebody configures another


@dataclass(frozen=True, slots=True)
class Delivery:
    """The outcome of one send or probe.

    `detail` is for people and holds no secret. `provider_id` is what the other side calls the message.
    `address_is_dead` is set with REJECTED when the address itself does not exist, so that nobody should write to
    it again. `policy` is set with REJECTED when the reply is about no mailbox: the reply, without what differs from one
    recipient to the next.
    """

    verdict: Verdict
    detail: str = ""
    provider_id: str | None = None
    retry_after: timedelta | None = None
    address_is_dead: bool = False
    policy: str = ""
    everybody: bool = False


@dataclass(frozen=True, slots=True)
class InlineImage:
    """A PNG that the HTML shows as `<img src="cid:…">`."""

    cid: str
    png: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """One rendered message to one address. `repeated`: an earlier try may have got through."""

    id: int
    dedupe_key: str
    kind: str
    address: str
    subject: str
    text: str
    html: str | None = None
    images: tuple[InlineImage, ...] = ()
    unsubscribe_url: str | None = None
    repeated: bool = False


class Channel(Protocol):
    """A way to reach people. `concurrency` sends may be under way at once, `per_second` of them begin (None: any)."""

    name: str
    concurrency: int
    per_second: float | None

    async def send(self, message: Message) -> Delivery:
        """Hand the message over. Raises nothing but the cancellation of its task."""
        ...

    async def probe(self) -> Delivery:
        """SENT if the channel is back, else why not. Nothing is sent to anybody."""
        ...

    async def aclose(self) -> None: ...
