"""PURE: a server that refuses everybody with the same words, or loses everybody, is ill; no message is to blame."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from daemon.channels.channel import Delivery, Verdict

EVERYBODY, OF_DOMAINS = 3, 2
"""So many addresses in a row, of so many domains: one firm's mailboxes may well refuse us with the same words. For
words about the server itself, such as that its disk is full, one domain is enough."""
LOOK_AGAIN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Refusals:
    """The addresses that one reply has refused since a message last got through. `proven`: none since one did."""

    reply: str = ""
    addresses: frozenset[str] = frozenset()
    proven: bool = False

    def joined(self, reply: str, address: str) -> Refusals:
        others = self.addresses if reply == self.reply else frozenset()
        return Refusals(reply, others | {address.casefold()})

    def are_of(self, addresses: int, domains: int) -> bool:
        """Whether they are so many at least."""
        found = {address.rpartition("@")[2] for address in self.addresses}
        return len(self.addresses) >= addresses and len(found) >= domains


NONE = Refusals()


def weighed(refusals: Refusals, address: str, delivery: Delivery, *, tried_before: bool) -> tuple[Delivery, Refusals]:
    """What an answer to `address` means after those before it; and what is to be remembered for the next.

    A refusal that is about no mailbox is not believed at once: the message is tried again later. It is its own
    when others got through meanwhile (`tried_before`), and the channel's when it is everybody's. What may have arrived
    stays UNKNOWN; when it is everybody's, the channel is away for those to come.
    """
    if delivery.verdict is Verdict.SENT:
        return delivery, Refusals(proven=True)
    if not delivery.policy:
        return delivery, refusals
    now = refusals.joined(delivery.policy, address)
    refused_for_good = delivery.verdict is Verdict.REJECTED
    if now.are_of(EVERYBODY, OF_DOMAINS if refused_for_good else 1):
        return _of_the_channel(delivery, len(now.addresses)), now
    if refused_for_good and not (refusals.proven and tried_before):
        return replace(delivery, verdict=Verdict.RETRY), now
    return delivery, now


def _of_the_channel(delivery: Delivery, recipients: int) -> Delivery:
    if delivery.verdict is Verdict.UNKNOWN:
        return replace(delivery, everybody=True, detail=f"the last {recipients} were all in doubt: {delivery.detail}")
    detail = f"the last {recipients} recipients were all refused: {delivery.detail}"
    return replace(delivery, verdict=Verdict.DOWN, everybody=True, detail=detail, retry_after=LOOK_AGAIN)
