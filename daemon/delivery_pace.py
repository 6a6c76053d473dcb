"""PURE: how fast a channel may be sent to. Sends are spaced evenly, so that no second holds more than its share."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_HOLD = 300.0


@dataclass(slots=True)
class Pace:
    """`per_second` sends may begin, None: any number. Times are seconds of a monotonic clock, passed in."""

    per_second: float | None
    free_at: float = 0.0

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
