"""What changes while somebody watches: read once for all who watch it, and sent to each of them when it differs."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
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
BEAT, OLD = "event: beat\ndata:\n\n", "event: old\ndata:\n\n"
"""The stream goes on; what the page shows is as it is now, or could not be read and may be old."""

Render = Callable[[], Awaitable[str]]


@dataclass(eq=False)
class Watched:
    """One thing that somebody watches. `mark` is the digest of `html`: whoever comes back with it has seen this
    already, whichever node it was seen on. `failing`: it could not be read, and `html` may be old.
    """

    render: Render
    every: float
    html: str = ""
    mark: str = ""
    failing: bool = False
    watchers: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    looking: asyncio.Task[None] | None = None

    async def look(self) -> None:
        """Read it now. What cannot be read leaves what was seen last, and whoever watches is told that it may be old.
        Raises what rendering raises but `DatabaseDown` and `TooBusy`.
        """
        failing = True
        try:
            html = await self.render()
            failing = False
        except (DatabaseDown, TooBusy):
            html = self.html
        finally:
            flipped, self.failing = failing != self.failing, failing
            if flipped:
                self._tell()
        mark = blake2b(html.encode(), digest_size=10).hexdigest()
        if not failing and mark != self.mark:
            self.html, self.mark = html, mark
            self._tell()

    def _tell(self) -> None:
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
            # A slow question is asked more rarely; what was not answered, soon enough to see that all is well again.
            await asyncio.sleep(max(self.every, min(5 * took, AFTER_FAULT) if self.failing else 5 * took))


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a page. `shared`: the same for what is the same, on whoever's page."""

    shared: str
    render: Render
    every: float = LOOK_EVERY


class Live:
    """One stream a page, because a browser has six connections for all its pages. `leaving` ends every stream."""

    def __init__(self) -> None:
        self.leaving = asyncio.Event()
        self._watched: dict[str, Watched] = {}

    async def answer(self, request: Request, parts: Mapping[str, Part]) -> Response:
        """A stream of those parts that change, by the ids they have on the page; with `?once`, for whoever no stream
        gets through to, all of them as they are now. What rendering raises at first, such as 404, is raised.
        """
        if "once" in request.query_params:
            whole = [placed(place, await part.render()) for place, part in parts.items()]
            return HTMLResponse("".join(whole), headers=LIVE_HEADERS)
        for part in parts.values():
            if part.shared not in self._watched:
                await part.render()
        seen = dict(item.partition("=")[::2] for item in request.headers.get("last-event-id", "").split(" "))
        return StreamingResponse(self.events(parts, seen), media_type=STREAM, headers=LIVE_HEADERS)

    async def events(self, parts: Mapping[str, Part], seen: dict[str, str]) -> AsyncIterator[str]:
        """`seen`: the mark of each part that the page shows already."""
        watched = {place: self._join(part) for place, part in parts.items()}
        seen = {place: seen.get(place, "") for place in parts}
        now = time.monotonic()
        until, beat_at, old = now + LONGEST_STREAM, now + BEAT_EVERY, False
        try:
            yield "retry: 100\n\n"
            while not self.leaving.is_set() and (now := time.monotonic()) < until:
                news = [event.changed for event in watched.values()]
                changed = {place: w for place, w in watched.items() if w.mark and w.mark != seen[place]}
                if changed:
                    seen |= {place: w.mark for place, w in changed.items()}
                    yield message("".join(placed(place, w.html) for place, w in changed.items()), seen)
                elif now >= beat_at or old != any(w.failing for w in watched.values()):
                    beat_at, old = now + BEAT_EVERY, any(w.failing for w in watched.values())
                    yield OLD if old else BEAT
                else:
                    await self._any(news, min(beat_at, until) - now)
        finally:
            for part in parts.values():
                self._leave(part.shared)

    async def _any(self, news: Sequence[asyncio.Event], within: float) -> None:
        """Returns when one of them happens or the server stops, at the latest after so many seconds."""
        waits = [asyncio.ensure_future(event.wait()) for event in (*news, self.leaving)]
        try:
            await asyncio.wait(waits, timeout=within, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _join(self, part: Part) -> Watched:
        watched = self._watched.setdefault(part.shared, Watched(part.render, part.every))
        watched.watchers += 1
        if watched.looking is None:
            watched.looking = asyncio.create_task(watched.keep_looking(), name=f"live {part.shared}")
        return watched

    def _leave(self, shared: str) -> None:
        watched = self._watched[shared]
        watched.watchers -= 1
        if watched.watchers == 0 and watched.looking is not None:
            watched.looking.cancel()
            del self._watched[shared]


def placed(place: str, html: str) -> str:
    """For htmx: this goes into the element of that id."""
    return f'<div id="{place}" hx-swap-oob="innerMorph">{html}</div>'


def message(html: str, seen: Mapping[str, str]) -> str:
    """An event of Server-Sent Events, with all that its receiver has seen then as its id."""
    lines = "".join(f"data: {line}\n" for line in html.splitlines())
    return f"id: {' '.join(f'{place}={mark}' for place, mark in seen.items())}\n{lines}\n"
