"""PURE: a channel that is away costs one probe now and then, not a queue of timeouts."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_PROBE, LONGEST_PAUSE = 5.0, 300.0
_MAX_DOUBLINGS = 16


@dataclass(frozen=True, slots=True)
class Breaker:
    """Closed while the channel works. Times are seconds of a monotonic clock, passed in.

    Open, nothing is sent; at `probe_at` the channel is asked whether it is back, each time after twice the pause.
    A probe cannot find every fault, so that it closes on trial: `probes` is forgotten when a message has got through.
    """

    opened_at: float | None = None
    probe_at: float = 0.0
    probes: int = 0

    @property
    def closed(self) -> bool:
        return self.opened_at is None

    def wait(self, now: float) -> float:
        """Seconds until the next probe; 0.0 when it is due."""
        return max(self.probe_at - now, 0.0)

    def opened(self, now: float) -> Breaker:
        """The channel was found away. An open breaker stays as it is."""
        return self if not self.closed else Breaker(now, now + _pause(self.probes), self.probes)

    def probed_in_vain(self, now: float) -> Breaker:
        """Still away: ask again after twice as long, at most five minutes. Raises `ValueError` when closed."""
        if self.closed:
            raise ValueError("a closed breaker is not probed")
        probes = self.probes + 1
        return Breaker(self.opened_at, now + _pause(probes), probes)

    def closed_on_trial(self) -> Breaker:
        """A probe got through. Found away again before a message does, it stays open for twice as long as before."""
        return Breaker(probes=self.probes + 1)


def _pause(probes: int) -> float:
    return min(FIRST_PROBE * 2.0 ** min(probes, _MAX_DOUBLINGS), LONGEST_PAUSE)


CLOSED = Breaker()
