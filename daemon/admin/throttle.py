"""How often somebody may be wrong: failures are counted by address, in memory, and forgotten with time."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass, field

MOST_ADDRESSES = 10_000


@dataclass
class Throttle:
    """`most` failures within `window` seconds; after that `wait` says how long. Times are monotonic seconds."""

    most: int = 10
    window: float = 60.0
    _failures: OrderedDict[str, list[float]] = field(default_factory=OrderedDict)

    def failed(self, address: str, now: float) -> None:
        recent = [at for at in self._failures.pop(address, []) if at > now - self.window]
        self._failures[address] = [*recent, now][-self.most :]
        while len(self._failures) > MOST_ADDRESSES:  # the longest quiet first: an attacker cannot fill our memory
            self._failures.popitem(last=False)

    def wait(self, address: str, now: float) -> int:
        """Whole seconds until this address may try again; 0 when it may now."""
        recent = [at for at in self._failures.get(address, []) if at > now - self.window]
        return math.ceil(recent[0] + self.window - now) if len(recent) >= self.most else 0

    def succeeded(self, address: str) -> None:
        self._failures.pop(address, None)
