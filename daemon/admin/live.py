"""What changes while somebody watches: read once for all who watch it, and sent to each of them when it differs."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b

from fastapi import Request
from fastapi.responses import HTMLResponse, Response, StreamingResponse

from daemon.admin.database import TooBusy
from daemon.database import DatabaseDown

LOG = logging.getLogger("sexton.admin")
LOOK_EVERY = 0.5
AFTER_FAULT = 10.0
BEAT_EVERY = 5.0
LONGEST_STREAM = 60.0
"""A browser comes back at once and is then asked again who it is, so that a token that was revoked sees no more."""
LIVE_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
STREAM = "text/event-stream"

Render = Callable[[], Awaitable[str]]


@dataclass(eq=False)
class Watched:
    """One thing that somebody watches. `mark` is the digest of `html`, and an event's id: whoever comes back with it
    has seen this already, whichever node it was seen on.
    """

    render: Render
    every: float
    html: str = ""
    mark: str = ""
    watchers: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    looking: asyncio.Task[None] | None = None

    async def look(self) -> None:
        """Read it now. A database that is away leaves what was seen last."""
        with suppress(DatabaseDown, TooBusy):
            html = await self.render()
            mark = blake2b(html.encode(), digest_size=10).hexdigest()
            if mark != self.mark:
                self.html, self.mark = html, mark
                told, self.changed = self.changed, asyncio.Event()
                told.set()

    async def keep_looking(self) -> None:
        while True:
            began = time.monotonic()
            try:
                await self.look()
            except Exception:
                LOG.exception("what somebody watches could not be read; the next try is in %g s", AFTER_FAULT)
                await asyncio.sleep(AFTER_FAULT)
            took = time.monotonic() - began
            await asyncio.sleep(max(self.every, 5 * took))  # a slow question is asked more rarely


class Live:
    """`leaving` ends every stream, when it is set."""

    def __init__(self) -> None:
        self.leaving = asyncio.Event()
        self._watched: dict[str, Watched] = {}

    async def answer(self, request: Request, name: str, render: Render, every: float = LOOK_EVERY) -> Response:
        """A stream of `render`'s HTML; with `?once`, for whoever no stream gets through to, the HTML of this moment.
        `name` is the same for what is the same. What `render` raises at first, such as 404, is raised.
        """
        if "once" in request.query_params:
            return HTMLResponse(await render(), headers=LIVE_HEADERS)
        if name not in self._watched:
            await render()
        seen = request.headers.get("last-event-id", "")
        return StreamingResponse(self._events(name, render, every, seen), media_type=STREAM, headers=LIVE_HEADERS)

    async def _events(self, name: str, render: Render, every: float, seen: str) -> AsyncIterator[str]:
        watched = self._join(name, render, every)
        until = time.monotonic() + LONGEST_STREAM
        try:
            yield "retry: 100\n\n"
            while not self.leaving.is_set() and (left := until - time.monotonic()) > 0:
                if watched.mark and watched.mark != seen:
                    seen = watched.mark
                    yield message(watched.html, seen)
                elif not await self._news(watched.changed, min(BEAT_EVERY, left)):
                    yield "event: beat\ndata:\n\n"
        finally:
            self._leave(name, watched)

    async def _news(self, changed: asyncio.Event, within: float) -> bool:
        """False: nothing happened for so long."""
        waits = [asyncio.ensure_future(event.wait()) for event in (changed, self.leaving)]
        try:
            done, _ = await asyncio.wait(waits, timeout=within, return_when=asyncio.FIRST_COMPLETED)
            return bool(done)
        finally:
            for wait in waits:
                wait.cancel()

    def _join(self, name: str, render: Render, every: float) -> Watched:
        watched = self._watched.setdefault(name, Watched(render, every))
        watched.watchers += 1
        if watched.looking is None:
            watched.looking = asyncio.create_task(watched.keep_looking(), name=f"live {name}")
        return watched

    def _leave(self, name: str, watched: Watched) -> None:
        watched.watchers -= 1
        if watched.watchers == 0 and watched.looking is not None:
            watched.looking.cancel()
            watched.looking = None
            self._watched.pop(name, None)


def message(html: str, mark: str) -> str:
    """An event of Server-Sent Events."""
    lines = "".join(f"data: {line}\n" for line in html.splitlines())
    return f"id: {mark}\n{lines}\n"
