"""Bodies of requests have an end, in octets and in time: nobody, known or not, fills our memory or waits in it."""

from __future__ import annotations

import asyncio

from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from daemon.admin.problems import Problematic, problem

LONGEST_BODY = 1 << 20
LONGEST_WAIT = 30.0
TOO_LONG = f"a request has at most {LONGEST_BODY} octets"
TOO_SLOW = f"the rest of the request did not come within {LONGEST_WAIT:g} s"


class Bounded:
    """413 for a body that says that it is too long, before any of it is read, or proves to be; 408 for one that does
    not come.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        said = int(Headers(scope=scope).get("content-length", 0))  # the server has seen that it is a number
        if said > LONGEST_BODY:
            await problem(Request(scope), 413, TOO_LONG, headers={"Connection": "close"})(scope, receive, send)
        else:
            await self._app(scope, _Body(receive).more, send)


class _Body:
    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._octets, self._whole = 0, False
        self._until = asyncio.get_running_loop().time() + LONGEST_WAIT

    async def more(self) -> Message:
        """What comes after the body is that somebody hangs up, and may take as long as it likes."""
        if self._whole:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError as error:
            raise Problematic(408, TOO_SLOW, headers={"Connection": "close"}) from error
        self._octets += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        if self._octets > LONGEST_BODY:
            raise Problematic(413, TOO_LONG, headers={"Connection": "close"})
        return message
