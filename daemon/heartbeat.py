"""A dead man's switch: a URL is fetched while this node is healthy. Whoever watches the URL tells of the silence."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

from daemon.channels.web import Answer, Web
from daemon.events import Event, Note

PATIENCE = timedelta(seconds=10)


@dataclass
class Heartbeat:
    """`unready` gives the reasons for silence. The URL is nowhere repeated whole: who knows it can keep us alive."""

    url: str
    every: timedelta
    unready: Callable[[], list[str]]
    emit: Callable[[Event], None]
    web: Web = field(default_factory=lambda: Web(PATIENCE))
    _failing: bool = False

    async def step(self) -> float:
        """Beat once, or be silent; how long until the next, in seconds."""
        began = time.monotonic()
        if not self.unready():
            answer = await self.web.request("GET", self.url)
            well = isinstance(answer, Answer) and 200 <= answer.status < 300
            if well == self._failing:
                self._failing = not well
                self._tell(answer.detail)
        return max(self.every.total_seconds() - (time.monotonic() - began), 0.0)

    def _tell(self, detail: str) -> None:
        """Once when it fails, once when it succeeds again."""
        host = urlsplit(self.url).hostname
        if self._failing:
            self.emit(Note("ALERTS", f"the heartbeat does not reach {host}: {detail}; it goes on trying", warning=True))
        else:
            self.emit(Note("ALERTS", f"the heartbeat reaches {host} again"))

    async def aclose(self) -> None:
        await self.web.aclose()
