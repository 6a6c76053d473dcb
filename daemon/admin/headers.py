"""What every answer says to browsers, and the last word on faults. Plain ASGI, so that streams are not touched."""

from __future__ import annotations

import asyncio
from email.utils import formatdate

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from daemon.admin.problems import fault

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
GUARDS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # not no-referrer: browsers would then send `Origin: null` with our own forms
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
STRICT_TRANSPORT = "max-age=31536000"


class Guard:
    """The outermost layer of ours: headers on every answer, a problem for every fault that nobody else took."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def guarded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                _add(MutableHeaders(scope=message), secure=scope["scheme"] == "https", path=scope["path"])
            await send(message)

        try:
            await self._app(scope, receive, guarded)
        except Exception as error:
            answer = await fault(Request(scope), error)
            if begun:  # too late for another answer: the connection ends instead
                raise
            await answer(scope, receive, guarded)


class Head:
    """HEAD is GET without the body (RFC 9110, 9.3.2); of a stream of news, its beginning."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        ended = asyncio.Event()

        async def bodiless(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body", "body": b""})
                ended.set()

        async def gone() -> Message:
            """The request's body, then, once it is answered, the end: a stream must not go on for nobody."""
            if not ended.is_set():
                return await receive()
            return {"type": "http.disconnect"}

        await self._app({**scope, "method": "GET"}, gone, bodiless)


def _add(headers: MutableHeaders, *, secure: bool, path: str) -> None:
    headers.setdefault("Date", formatdate(usegmt=True))
    for name, value in GUARDS.items():
        headers.setdefault(name, value)
    if not path.startswith("/static/"):
        headers.setdefault("Cache-Control", "no-store" if "etag" not in headers else "private, no-cache")
    if secure:
        headers.setdefault("Strict-Transport-Security", STRICT_TRANSPORT)
