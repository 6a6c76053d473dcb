"""PURE: a server that refuses everybody with the same words is ill; the messages are not to blame."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from daemon.channels.channel import Delivery, Verdict

EVERYBODY, OF_DOMAINS = 3, 2
"""So many addresses in a row, of so many domains: one firm's mailboxes may well refuse us with the same words."""
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

    @property
    def of_everybody(self) -> bool:
        domains = {address.rpartition("@")[2] for address in self.addresses}
        return len(self.addresses) >= EVERYBODY and len(domains) >= OF_DOMAINS


NONE = Refusals()


def weighed(refusals: Refusals, address: str, delivery: Delivery, *, tried_before: bool) -> tuple[Delivery, Refusals]:
    """What an answer to `address` means after those before it; and what is to be remembered for the next.

    A refusal that names no mailbox is not believed at once: the message is tried again later. It is the message's own
    when others got through meanwhile (`tried_before`), and the channel's when it is everybody's.
    """
    if delivery.verdict is Verdict.SENT:
        return delivery, Refusals(proven=True)
    if delivery.verdict is not Verdict.REJECTED or not delivery.policy:
        return delivery, refusals
    now = refusals.joined(delivery.policy, address)
    if now.of_everybody:
        detail = f"the last {len(now.addresses)} recipients were all refused: {delivery.detail}"
        return replace(delivery, verdict=Verdict.DOWN, detail=detail, retry_after=LOOK_AGAIN), now
    if refusals.proven and tried_before:
        return delivery, now
    return replace(delivery, verdict=Verdict.RETRY), now
