"""The database's clock as this node knows it: the best answer so far, carried on by the monotonic clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

LEAP = timedelta(minutes=5)
DISAGREEMENT = timedelta(minutes=1)
SLEW = 500e-6
"""The most that NTP lets two clocks drift apart, in seconds a second: the kernel's own limit (adjtimex)."""


def monotonic() -> float:
    return time.monotonic()


def boottime() -> float:
    """Seconds that also count while the machine sleeps: what a lease is measured by."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(slots=True)
class DatabaseClock:
    """`now` never runs ahead of the server, because the travelling time of answers is left out.

    So an answer that was long on its way says little: what an earlier and quicker one said is kept then, less what the
    clocks may have drifted since. Otherwise one renewal that met a busy moment would make all ticks until the next
    late by as much.
    """

    monotonic: Callable[[], float] = monotonic
    boottime: Callable[[], float] = boottime
    _at: datetime | None = None
    _learned: float = 0.0
    _boot: float = 0.0
    distrust: str | None = None

    def learn(self, answer: datetime, took: float = 0.0) -> timedelta:
        """Take in the server's clock: what it said within the last `took` seconds.

        Returns how far it had moved against our own since the last time.
        """
        moved, best = timedelta(0), answer
        boot, at = self.boottime(), self.monotonic()
        if self._at is not None:
            moved = (answer - self._at) - timedelta(seconds=boot - self._boot)
            kept = self._at + timedelta(seconds=(at - self._learned) * (1 - SLEW))
            if answer < kept <= answer + timedelta(seconds=took):
                best = kept
        self._at, self._learned, self._boot = best, at, boot
        return moved

    def now(self) -> datetime:
        if self._at is None:
            raise RuntimeError("the database's clock has not been read yet")
        return self._at + timedelta(seconds=self.monotonic() - self._learned)

    def apart(self, node_now: datetime) -> timedelta | None:
        """The server's clock less the node's; None before it was read."""
        return None if self._at is None else self.now() - node_now

    def seconds_until(self, instant: datetime) -> float:
        return (instant - self.now()).total_seconds()


def why_distrusted(moved: timedelta, database_now: datetime, node_now: datetime) -> str | None:
    """PURE: why money must not be paid for the instants of this tick, or None.

    `moved` is wall time against CLOCK_BOOTTIME since the previous reading (a leap, or a restored backup's host);
    the two clocks are compared because either may be the one that is wrong.
    """
    if abs(moved) > LEAP:
        direction = "forward" if moved > timedelta(0) else "back"
        return f"clock leapt {direction} by {_whole(moved)}"
    apart = abs(database_now - node_now)
    if apart > DISAGREEMENT:
        return f"database and node clocks differ by {_whole(apart)}"
    return None


def _whole(span: timedelta) -> timedelta:
    return timedelta(seconds=round(abs(span).total_seconds()))


def utc_now() -> datetime:
    return datetime.now(UTC)
