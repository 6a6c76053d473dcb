"""PURE: how fast a channel may be sent to. Sends are spaced evenly, so that no second holds more than its share."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_HOLD = 300.0
_MAX_DOUBLINGS = 16


@dataclass(slots=True)
class Pace:
    """`per_second` sends may begin, None: any number. Times are seconds of a monotonic clock, passed in."""

    per_second: float | None
    free_at: float = 0.0
    _slow_until: float = 0.0
    _slowed: int = 0

    def wait(self, now: float) -> float:
        """Seconds until the next send may begin."""
        return max(self.free_at - now, 0.0)

    def reserve(self, now: float) -> float:
        """Take the next place; returns the seconds to wait for it."""
        wait = self.wait(now)
        if self.per_second is not None:
            self.free_at = now + wait + 1 / self.per_second
        return wait

    def hold(self, now: float, seconds: float) -> None:
        """The other side asked for a pause; it is believed for five minutes at most."""
        self.free_at = max(self.free_at, now + min(seconds, LONGEST_HOLD))

    def slow_down(self, now: float, seconds: float) -> None:
        """The other side has too much, and asks for a pause: each that follows another is twice as long.

        What was under way when a pause began says the same, and counts once with it.
        """
        if now >= self._slow_until:
            seconds *= 2.0 ** min(self._slowed, _MAX_DOUBLINGS)
            self._slowed += 1
            self._slow_until = now + min(seconds, LONGEST_HOLD)
        self.hold(now, seconds)

    def went_through(self) -> None:
        """Something was taken: the next pause is as short as it is asked for."""
        self._slowed = 0
