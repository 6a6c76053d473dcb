"""A message as the octets that a mail server is given. Pure.

Written out by hand because composing and flattening with `email.message` takes 2 ms a message, longer than sending
it; the tests read the octets back with `email`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime, formataddr
from functools import lru_cache

from daemon.addresses import mailbox, one_line
from daemon.channels.channel import InlineImage, Message

SENT_ON_REQUEST = frozenset({"transactional", "security"})  # nobody can unsubscribe from these
LONGEST_PLAIN_HEADER = 70
LONGEST_SUBJECT = 500
SEVEN_BIT = re.compile(r"(?:[\t -~]{0,900}\n)*")
UNSAFE_IN_URL = re.compile(r"[^!-~]|[<>\"]")
CONTENT_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
LINE_END = re.compile(r"\r\n?")


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What is the same in all our mail. `reply_to` may be empty."""

    name: str
    address: str
    domain: str
    reply_to: str = ""

    @property
    def replies(self) -> str:
        """The address at which people are read."""
        return mailbox(self.reply_to)[1] if self.reply_to else self.address


def message_id(dedupe_key: str, domain: str) -> str:
    """The same for every try of a message, so that whoever gets it twice can tell."""
    return f"<{_digest(dedupe_key)}@{domain}>"


def compose(message: Message, address: str, letterhead: Letterhead, date: datetime) -> bytes:
    """The whole mail, CRLF line ends, dots not stuffed. `address` is the checked one of `message`.

    Text and HTML are `multipart/alternative`; inline images are parts related to the HTML, or attached where there
    is none. Non-ASCII only in `To`, for an address that needs SMTPUTF8. Raises `ValueError` for a URL or an image's
    name that would not be safe in a header.
    """
    headers = [
        f"From: {_correspondent(letterhead.name, letterhead.address)}",
        f"To: {address}",
        f"Subject: {_subject(one_line(message.subject))}",
        f"Date: {format_datetime(date)}",
        f"Message-ID: {message_id(message.dedupe_key, letterhead.domain)}",
        *([f"Reply-To: {_correspondent(*mailbox(letterhead.reply_to))}"] if letterhead.reply_to else []),
        *_unsubscribe(message, letterhead),
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
    ]
    return "\r\n".join(headers).encode() + b"\r\n" + _body(message)


def _unsubscribe(message: Message, letterhead: Letterhead) -> list[str]:
    """RFC 2369 and RFC 8058. One click needs HTTPS."""
    url = message.unsubscribe_url
    if not url or message.kind in SENT_ON_REQUEST:
        return []
    if UNSAFE_IN_URL.search(url):
        raise ValueError(f"{url[:80]!r} is no URL for a header: spaces, controls and quotes are written as %XX")
    headers = [f"List-Unsubscribe: <{url}>,\r\n <mailto:{letterhead.replies}?subject=unsubscribe>"]
    if url.startswith("https://"):
        headers.append("List-Unsubscribe-Post: List-Unsubscribe=One-Click")
    return headers


def _body(message: Message) -> bytes:
    boundary = f"=_{_digest(message.dedupe_key)}"
    text = _text("plain", message.text)
    images = [_image(image) for image in message.images]
    if message.html is None:
        return _multipart("mixed", [text, *images], boundary) if images else text
    html = _text("html", message.html)
    if images:
        html = _multipart('related; type="text/html"', [html, *images], f"{boundary}_r")
    return _multipart("alternative", [text, html], boundary)


def _multipart(kind: str, parts: list[bytes], boundary: str) -> bytes:
    between = f"--{boundary}\r\n".encode()
    head = f'Content-Type: multipart/{kind};\r\n boundary="{boundary}"\r\n\r\n'.encode()
    return head + b"".join(between + part for part in parts) + f"--{boundary}--\r\n".encode()


def _text(kind: str, text: str) -> bytes:
    """7bit where it fits; else quoted-printable, or base64 where that is much shorter."""
    text = LINE_END.sub("\n", text).rstrip("\n") + "\n"
    if SEVEN_BIT.fullmatch(text):
        return _part(f"text/{kind}; charset=utf-8", "7bit", text.replace("\n", "\r\n").encode("ascii"))
    octets = text.encode("utf-8", "replace")
    quoted = binascii.b2a_qp(octets, istext=True)
    if len(quoted) <= 1.6 * len(octets):
        return _part(f"text/{kind}; charset=utf-8", "quoted-printable", quoted.replace(b"\n", b"\r\n"))
    return _part(f"text/{kind}; charset=utf-8", "base64", _base64(octets.replace(b"\n", b"\r\n")))


def _image(image: InlineImage) -> bytes:
    if not CONTENT_ID.fullmatch(image.cid):
        raise ValueError(f"image {image.cid[:80]!r}: name it with up to 64 letters, digits, dots, dashes, underscores")
    more = f'Content-ID: <{image.cid}>\r\nContent-Disposition: inline; filename="{image.cid}.png"\r\n'
    return _part("image/png", "base64", _base64(image.png), more)


def _part(content_type: str, encoding: str, body: bytes, more: str = "") -> bytes:
    return f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}\r\n{more}\r\n".encode() + body


def _base64(octets: bytes) -> bytes:
    return base64.encodebytes(octets).replace(b"\n", b"\r\n")


@lru_cache(maxsize=64)
def _correspondent(name: str, address: str) -> str:
    return formataddr((name, address))


@lru_cache(maxsize=1024)
def _subject(text: str) -> str:
    """As it is when short and ASCII; else encoded words, folded."""
    text = text[:LONGEST_SUBJECT]
    if len(text) <= LONGEST_PLAIN_HEADER and text.isascii() and "=?" not in text:
        return text
    text = text.encode("utf-8", "replace").decode()
    return Header(text, "utf-8", header_name="Subject").encode(linesep="\r\n")


def _digest(dedupe_key: str) -> str:
    return hashlib.sha256(dedupe_key.encode("utf-8", "surrogatepass")).hexdigest()[:32]
