"""A wake-up that services wait for: set by whoever has news, or by the clock."""

from __future__ import annotations

import asyncio


class Pulse:
    """Several `beat`s before a `wait` count as one."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def beat(self) -> None:
        self._event.set()

    async def wait(self, seconds: float) -> None:
        """Return at a beat or after so many seconds, whichever comes first."""
        if seconds > 0 and not self._event.is_set():
            try:
                async with asyncio.timeout(seconds):
                    await self._event.wait()
            except TimeoutError:
                return
        self._event.clear()
