"""What the public listener answers, and how it reads a wish to unsubscribe. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from email import message_from_bytes
from email.policy import HTTP
from html import escape
from urllib.parse import parse_qsl

from daemon.unsubscribe import Subscription

FIELD, WISH = "List-Unsubscribe", "One-Click"  # RFC 8058, section 3.1
MOST_FIELDS = 20
MEANS = {"email": "e-mail", "sms": "text messages"}
# Nothing is loaded, nothing runs, nobody frames it, no cache and no search engine keeps it.
GUARDED = (
    ("Content-Security-Policy", "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
    ("X-Robots-Tag", "noindex, nofollow"),
)
HTML = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title></head><body><main><h1>{title}</h1>{body}</main></body></html>
"""


@dataclass(frozen=True, slots=True)
class Page:
    status: int
    title: str
    body: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    content_type = "text/html; charset=utf-8"

    @property
    def octets(self) -> bytes:
        return self.html.encode()

    @property
    def html(self) -> str:
        return HTML.format(title=escape(self.title), body=self.body)


NOT_FOUND = Page(404, "Not found")
UNREADABLE = Page(400, "Bad request")
TOO_LONG = Page(413, "Too long")
NOT_A_WISH = Page(400, "Bad request", f"<p>Send {FIELD}={WISH}, as RFC 8058 says.</p>")
TRY_LATER = Page(503, "Try again later", "<p>Your wish could not be kept just now.</p>", (("Retry-After", "300"),))
TOO_MANY = Page(503, "Try again later", "<p>Too many are here just now.</p>", (("Retry-After", "10"),))
DONE = Page(200, "Unsubscribed", "<p>You will get no more of these messages.</p>")


def confirm(subscription: Subscription, path: str) -> Page:
    """A button, because programs that look at mail follow every link in it. It tells nothing of the recipient."""
    means = escape(MEANS.get(subscription.channel, subscription.channel))
    whose = f" from {escape(subscription.suite)}" if subscription.suite else ""
    form = (
        f"<p>Do you want to get no more {means} of this kind{whose}?</p>"
        f'<form method="post" action="{escape(path)}"><input type="hidden" name="{FIELD}" value="{WISH}">'
        '<button type="submit">Unsubscribe</button></form>'
    )
    return Page(200, "Unsubscribe", form)


def asks_to_unsubscribe(content_type: str, body: bytes) -> bool:
    """Whether a POST holds `List-Unsubscribe=One-Click`, as a form of either kind that RFC 8058 allows."""
    if content_type.lower().startswith("multipart/form-data"):
        return _in_multipart(content_type, body)
    try:
        return (FIELD, WISH) in parse_qsl(body.decode("utf-8", "replace").strip(), max_num_fields=MOST_FIELDS)
    except ValueError:
        return False


def _in_multipart(content_type: str, body: bytes) -> bool:
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    form = message_from_bytes(head + body, policy=HTTP)
    for part in form.iter_parts() if form.is_multipart() else ():
        name = part.get_param("name", header="content-disposition")
        if name == FIELD and str(part.get_payload()).strip() == WISH:
            return True
    return False
