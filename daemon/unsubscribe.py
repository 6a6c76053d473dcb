"""Links to unsubscribe: a token that says who and what, signed, so that nobody can make one for somebody else. Pure.

A token has no date: a link in an old mail has to work. It tells a recipient's id to whoever has the mail anyway.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass

PURPOSE = b"sexton unsubscribe 1\0"  # so that the secret's signatures mean nothing elsewhere
PATH = "/u/"
LONGEST_TOKEN = 2048


@dataclass(frozen=True, slots=True)
class Subscription:
    """What ends: messages of a suite to a recipient (an id, or the address that was written to) on a channel."""

    suite: str
    recipient: str
    channel: str


def url(base_url: str, secret: str, subscription: Subscription) -> str:
    """`https://example.org/u/…`, for a `List-Unsubscribe` header and the foot of a mail."""
    return f"{base_url.rstrip('/')}{PATH}{token(secret, subscription)}"


def token(secret: str, subscription: Subscription) -> str:
    """URL-safe text: what it says, a dot, HMAC-SHA256 of that. Raises `ValueError` for an empty secret."""
    parts = [subscription.suite, subscription.recipient, subscription.channel]
    said = _encoded(json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))
    return f"{said}.{_signature(secret, said)}"


def read(secret: str, text: str) -> Subscription | None:
    """What a token says, None unless it was signed with this secret. Takes as long for a near miss as for a far one."""
    said, dot, signature = text.partition(".")
    if not dot or len(text) > LONGEST_TOKEN or not text.isascii():
        return None
    if not hmac.compare_digest(signature, _signature(secret, said)):
        return None
    try:
        parts = json.loads(_decoded(said).decode("utf-8", "surrogatepass"))
        return Subscription(*parts) if all(isinstance(part, str) for part in parts) else None
    except (ValueError, TypeError, binascii.Error):  # signed, but by another version
        return None


def _signature(secret: str, said: str) -> str:
    if not secret:
        raise ValueError("outbox.unsubscribe_secret is empty: nothing can be signed with it")
    return _encoded(hmac.digest(secret.encode(), PURPOSE + said.encode("ascii"), hashlib.sha256))


def _encoded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
