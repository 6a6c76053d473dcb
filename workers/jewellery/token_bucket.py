"""So many calls a second, evenly, with a small store for what was held up. Pure: time is passed in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class TokenBucket:
    """`take` grants one call: its answer is how many seconds to wait before making it.

    In any span of t seconds at most `burst + per_second · t` calls are granted.
    """

    per_second: float
    burst: float = 1.0
    _tokens: float = 0.0
    _at: float | None = None

    def take(self, now: float) -> float:
        if self._at is None:
            self._at, self._tokens = now, self.burst
        self._tokens = min(self.burst, self._tokens + max(now - self._at, 0.0) * self.per_second)
        self._at = max(now, self._at)
        self._tokens -= 1
        return max(-self._tokens / self.per_second, 0.0)
