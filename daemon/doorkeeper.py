"""A listener takes so many at once. Whoever is turned away is counted, and the log says so once a minute."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from daemon.events import Event, Note

TELL_EVERY = 60.0


@dataclass(frozen=True, slots=True)
class TurnedAway(Event):
    """Somebody who came while as many were there as `listener` (`public`, `admin`) takes."""

    listener: str


class Doorkeeper:
    """`most`: how many `listener` takes at once, for the log."""

    def __init__(self, listener: str, most: int, emit: Callable[[Event], None]) -> None:
        self._listener, self._most, self._emit = listener, most, emit
        self._told_at = -math.inf

    def turn_away(self) -> None:
        self._emit(TurnedAway(self._listener))
        now = time.monotonic()
        if now - self._told_at >= TELL_EVERY:
            self._told_at = now
            text = f"{self._most} connections at once: whoever comes now is told to come again"
            self._emit(Note(self._listener.upper(), text, warning=True))
