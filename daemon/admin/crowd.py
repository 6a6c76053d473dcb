"""How many may ask at once, and how long a connection may stay that asks nothing: without a bound, whoever reaches the
port could use up the descriptors that the work needs for its database.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from daemon.admin.problems import RETRY_AFTER, problem

MOST_REQUESTS, MOST_IDLE = 500, 200
LONGEST_HEAD = 10.0
LOG, AREA = logging.getLogger("sexton.admin"), {"area": "ADMIN"}
WIRE = logging.getLogger("sexton.admin.wire")
WIRE.setLevel(logging.ERROR)
"""uvicorn's own words, which name neither the area nor who it was."""
FULL = f"{MOST_REQUESTS} requests are being answered; come again"


class Crowd:
    """Answers 503 at once while `most` others are being answered, streams included."""

    def __init__(self, app: ASGIApp, turned_away: Callable[[], None], most: int = MOST_REQUESTS) -> None:
        self._app, self._turned_away, self._most = app, turned_away, most
        self._present = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif self._present >= self._most:
            self._turned_away()
            await problem(Request(scope), 503, FULL, headers=RETRY_AFTER)(scope, receive, send)
        else:
            self._present += 1
            try:
                await self._app(scope, receive, send)
            finally:
                self._present -= 1


class Connection(H11Protocol):
    """Closed when it has said nothing whole in LONGEST_HEAD seconds; uvicorn alone would wait for ever. Where there are
    too many, whoever has dawdled longest makes room: nobody locks others out by saying nothing.
    """

    def __init__(
        self, *args: Any, silent: dict[Connection, None], turned_away: Callable[[], None], **more: Any
    ) -> None:
        super().__init__(*args, **more)
        self.logger = WIRE
        self._silent, self._turned_away = silent, turned_away
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        if len(self.connections) > MOST_REQUESTS + MOST_IDLE:
            self._turned_away()
            next(iter(self._silent), self).leave()
        self._watch()

    def leave(self) -> None:
        self._stop_watching()
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_watching()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """From a request's first octet to the last one of its head; after an answer uvicorn's own timeout holds."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:
            self._stop_watching()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(LONGEST_HEAD, self.leave)
            self._silent[self] = None

    def _stop_watching(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
            del self._silent[self]

    def send_400_response(self, msg: str) -> None:
        """Whoever knocks with something else, a scanner mostly, is worth a line with an address, and no warning."""
        LOG.info("what %s sent is no HTTP request", self.client[0] if self.client else "somebody", extra=AREA)
        super().send_400_response(msg)

    def _unsupported_upgrade_warning(self) -> None:
        """Nobody here needs advice on WebSocket or HTTP/2: such a request is answered as any other (RFC 9110, 7.8)."""
