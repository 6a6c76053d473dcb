"""ETags: every JSON answer to a GET has one, and asking again is cheap; a job's leads with its revision, for edits, and
an edit's answer has it for the next one.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Annotated

from fastapi import Depends, Header
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REVISION = "x-sexton-revision"
"""Set by a handler on its answer, and taken off again when it has become the front of the ETag."""

NEVER = -1
"""No thing has this revision: an edit that asks for it is refused with 412."""


def tag(body: bytes, revision: str | None = None) -> str:
    """`"7-a3f1…"`: the revision, if the thing has one, then the contents' digest."""
    digest = blake2b(body, digest_size=10).hexdigest()
    return f'"{revision}-{digest}"' if revision else f'"{digest}"'


def matches(header: str, current: str) -> bool:
    """If-None-Match (RFC 9110, 13.1.2): weak comparison, because a cache or proxy may have weakened it."""
    if header.strip() == "*":
        return True
    return any(candidate.strip().removeprefix("W/") == current for candidate in header.split(","))


def revision_of(header: str) -> int | None:
    """The revision that If-Match asks for; None for `*`, and NEVER for a tag that is not one of ours. What else changed
    since, such as the last run, is no obstacle to an edit.
    """
    if header.strip() == "*":
        return None
    front, dash, _ = header.strip().strip('"').partition("-")
    if not dash or not front.isascii() or not front.isdigit() or len(front) > 18:
        return NEVER
    return int(front)


def _expected(
    if_match: Annotated[str | None, Header(description="The ETag of what is to be changed, as it was shown.")] = None,
) -> int | None:
    return None if if_match is None else revision_of(if_match)


Revision = Annotated[int | None, Depends(_expected)]
"""The revision a change is meant for; None changes whatever is there."""


class Tagged:
    """Adds the ETag, and answers 304 to whoever has it already. Streams pass untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return
        reads = scope["method"] in ("GET", "HEAD")
        known = Headers(scope=scope).get("if-none-match") if reads else None
        start: Message | None = None

        async def tagging(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_json(message) and (reads or _revised(message)):
                start = message
                return
            if start is not None:
                if not message.get("more_body"):
                    message = _tagged(start, message, known)
                begun, start = start, None
                await send(begun)
            await send(message)

        await self._app(scope, receive, tagging)


def _is_json(message: Message) -> bool:
    return message["status"] == 200 and _value(message["headers"], b"content-type") == b"application/json"


def _revised(message: Message) -> bool:
    return _value(message["headers"], REVISION.encode()) is not None


def _value(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    return next((value for key, value in headers if key == name), None)


def _tagged(start: Message, message: Message, known: str | None) -> Message:
    """`start` gets the tag; the body to go with it, none where the asker has it."""
    headers = MutableHeaders(scope=start)
    revision = headers.get(REVISION)
    if revision is not None:
        del headers[REVISION]
    current = tag(message.get("body", b""), revision)
    headers["ETag"] = current
    if known is None or not matches(known, current):
        return message
    start["status"] = 304
    del headers["content-length"]
    return {"type": "http.response.body", "body": b""}
