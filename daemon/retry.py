"""After a failure: try again at a later time, or give up."""

import datetime as dt
from dataclasses import dataclass
from enum import IntEnum

# A doubling beyond this changes nothing but the size of the number: 2^63 microseconds are 292,000 years.
_MAX_DOUBLINGS = 63


class Priority(IntEnum):
    """Smaller runs first."""

    CRITICAL = 0
    HIGH = 1
    MEDIUM = 2
    LOW = 3

    @property
    def retries(self) -> int:
        """How often a failed run is tried again, unless its job says otherwise."""
        return (3, 2, 2, 1)[self]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """`retries` after the first try; the n-th waits base·2^(n−1), at most `cap`, give or take `jitter`.

    Jitter (a fraction, 0.1 for ±10 %) keeps runs that failed together from coming back together. It is
    applied after the cap, so that a capped herd spreads as well.
    """

    retries: int
    base: dt.timedelta = dt.timedelta(seconds=30)
    cap: dt.timedelta = dt.timedelta(hours=1)
    jitter: float = 0.1

    def __post_init__(self) -> None:
        if self.retries < 0:
            raise ValueError(f"retries = {self.retries}: must not be negative")
        if self.base < dt.timedelta(0) or self.cap < dt.timedelta(0):
            raise ValueError("the delays of a retry must not be negative")
        if not 0 <= self.jitter <= 1:
            raise ValueError(f"jitter = {self.jitter}: must be a fraction between 0 and 1")

    def delay(self, failures: int) -> dt.timedelta:
        """The wait after that many failures, before jitter."""
        doublings = min(failures - 1, _MAX_DOUBLINGS)
        microsecond = dt.timedelta(microseconds=1)
        # Integers, because a timedelta would overflow long before the cap is applied.
        return min(self.base // microsecond << doublings, self.cap // microsecond) * microsecond


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again at `at`, not earlier; `failures` so far."""

    at: dt.datetime
    failures: int


@dataclass(frozen=True, slots=True)
class GiveUp:
    """No tries are left after `failures`: the run is a dead letter."""

    failures: int


def decide(policy: RetryPolicy, failures: int, *, now: dt.datetime, jitter_seed: float) -> Retry | GiveUp:
    """What follows the `failures`-th failure, which has just happened at `now`.

    `jitter_seed` in [0, 1) is the chance in it: 0.5 waits exactly the delay. ValueError if it lies outside,
    or if nothing has failed yet.
    """
    if failures < 1:
        raise ValueError(f"failures = {failures}: a decision follows a failure")
    if not 0 <= jitter_seed < 1:
        raise ValueError(f"jitter_seed = {jitter_seed}: must be in [0, 1)")
    if failures > policy.retries:
        return GiveUp(failures)
    spread = 1 + policy.jitter * (2 * jitter_seed - 1)
    return Retry(now + policy.delay(failures) * spread, failures)
