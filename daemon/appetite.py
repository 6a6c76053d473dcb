"""How many items of a queue to claim at once."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

MOST_IN_ONE_CLAIM = 500
CLAIM_AHEAD = 0.1


@dataclass
class Appetite:
    """How many items to claim at once: what the lanes got through lately in `CLAIM_AHEAD` seconds.

    So a claim costs little beside its items, however short they are, while little is kept from other nodes, and
    little is charged with a rescue when this one dies. It begins small and at most doubles.
    """

    least: int
    size: int = 0
    _since: float = field(default_factory=time.monotonic)

    def next(self, performed: int) -> int:
        """`performed`: items since the last time this was asked."""
        now = time.monotonic()
        wanted = performed * CLAIM_AHEAD / max(now - self._since, 1e-6)
        self._since = now
        self.size = int(min(max(wanted, self.least), 2 * self.size or self.least, MOST_IN_ONE_CLAIM))
        return self.size
