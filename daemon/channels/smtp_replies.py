"""What a mail server's refusal means for the message, and for all the others. Pure.

RFC 5321 for the codes, RFC 3463 for the enhanced ones ("5.1.1") at the beginning of the text.
"""

from __future__ import annotations

import re
from enum import StrEnum

from daemon.addresses import one_line
from daemon.channels.channel import Delivery, Verdict

LONGEST_DETAIL = 300
ENHANCED = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})\b")
NO_SUCH_MAILBOX = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"})
NO_SUCH_MAILBOX_CODES = frozenset({550, 551, 553})
ABOUT_THE_MAILBOX = re.compile(r"5\.[126]\.")  # its address, its state, or what it takes: RFC 3463
NAMES = re.compile(r"<[^>]*>|\S*@\S+|\b(?=\S*\.\S*[a-z])[\w.-]+\b|\S*\d\S*", re.IGNORECASE)  # addresses, hosts, tickets
ABOUT_THE_SENDER = re.compile(r"\bsender\b|return[- ]path|envelope[- ]from", re.IGNORECASE)  # as Exim verifies ours
NO_SUCH_MAILBOX_WORDS = re.compile(
    r"(user|recipient|mailbox|address)\W+(is\W+)?(unknown|not\W+found|invalid)|unknown\W+(user|recipient|mailbox)"
    r"|no\W+such\W+(user|recipient|mailbox|person)|does\W+not\W+exist|doesn't\W+exist",
    re.IGNORECASE,
)
WANTS_AUTHENTICATION = frozenset({530, 534, 535, 538})
OUT_OF_SEQUENCE = 503
CLOSING = 421
# About this message although the sender is refused: too big, or an address that needs SMTPUTF8.
ABOUT_THE_MESSAGE = frozenset({"5.3.4", "5.2.3", "5.6.7"})
TOO_BIG = 552
# Said before any recipient is named: the server takes nothing from anybody just now, full or shutting down.
SERVER_IS_CLOSED = frozenset({"4.3.1", "4.3.2"})
SERVER_IS_ILL = re.compile(r"4\.3\.")  # the mail system's own state: RFC 3463
ILL_CODES = frozenset({CLOSING, 452})  # closing, or without room
ABOUT_THE_CONTENT = re.compile(r"5\.([126]\.|3\.4)")
QUEUED_AS = re.compile(r"\bqueued as ([\w.-]+)|\bid=([\w.-]+)", re.IGNORECASE)


class Stage(StrEnum):
    """How far the transfer had come."""

    SENDER = "MAIL FROM"
    RECIPIENT = "RCPT TO"
    CONTENT = "DATA"


def accepted(reply: str) -> Delivery:
    """The server has taken the message over. Most say under which name."""
    named = QUEUED_AS.search(reply)
    return Delivery(Verdict.SENT, _shortened(reply), (named[1] or named[2]) if named else None)


def refused(stage: Stage, code: int, text: str) -> Delivery:
    """4xx: later. 5xx to the recipient or the content: never. 5xx to the sender or for want of a login: the channel.
    5xx that is about no mailbox and no content is a policy: of one recipient's, or of the server's; others will show.
    So will they whether a server that says 4xx of itself is ill for all of them.

    The sender is the same in all our mail, so a refusal of it is nobody's but the configuration's. A server that
    closes (421), or is full, before it knows the recipient refuses everybody: no message is to blame.
    """
    match = ENHANCED.match(text)
    enhanced = match[1] if match else ""
    detail = _shortened(f"{code} {text} (answer to {stage})")
    if code in WANTS_AUTHENTICATION:
        return Delivery(Verdict.DOWN, detail)
    if stage is Stage.SENDER and (code == CLOSING or enhanced in SERVER_IS_CLOSED):
        return Delivery(Verdict.DOWN, detail)
    if code // 100 != 5 or code == OUT_OF_SEQUENCE:
        ill = stage is Stage.SENDER or code in ILL_CODES or SERVER_IS_ILL.match(enhanced)
        return Delivery(Verdict.RETRY, detail, policy=_without_names(code, text) if ill else "")
    if stage is Stage.SENDER:
        about_message = code == TOO_BIG or enhanced in ABOUT_THE_MESSAGE
        return Delivery(Verdict.REJECTED if about_message else Verdict.DOWN, detail)
    dead = stage is Stage.RECIPIENT and _says_no_such_mailbox(code, enhanced, text)
    about = ABOUT_THE_MAILBOX if stage is Stage.RECIPIENT else ABOUT_THE_CONTENT
    policy = not dead and code != TOO_BIG and not about.match(enhanced)
    return Delivery(Verdict.REJECTED, detail, address_is_dead=dead, policy=_without_names(code, text) if policy else "")


def lost(stage: Stage, error: str) -> Delivery:
    """The connection broke or stood still. After DATA the mail may have arrived: the next try has its Message-ID.

    Before the recipient is named, no message is to blame; afterwards others will show whether this one is.
    """
    detail = _shortened(f"connection lost at {stage}: {error}")
    if stage is Stage.SENDER:
        return Delivery(Verdict.DOWN, detail)
    return Delivery(Verdict.RETRY, detail, policy=f"connection lost at {stage}")


def unreachable(error: str) -> Delivery:
    """No connection, no greeting, no TLS or no login: nothing was said about any message."""
    return Delivery(Verdict.DOWN, _shortened(error))


def _says_no_such_mailbox(code: int, enhanced: str, text: str) -> bool:
    if enhanced:
        return enhanced in NO_SUCH_MAILBOX
    if code not in NO_SUCH_MAILBOX_CODES or ABOUT_THE_SENDER.search(text):
        return False
    return NO_SUCH_MAILBOX_WORDS.search(text) is not None


def _without_names(code: int, text: str) -> str:
    """The same for every recipient that is refused for the same reason: "554 relaying denied"."""
    return f"{code} {NAMES.sub('*', one_line(text)).strip().casefold()}"[:LONGEST_DETAIL]


def _shortened(text: str) -> str:
    return one_line(text)[:LONGEST_DETAIL]
