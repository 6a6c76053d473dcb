"""When the next worker process may be started, after some that did not come up."""

from __future__ import annotations

import time

from daemon.pool_messages import WorkerStartError, WorkerStartFailed

FIRST_DELAY_SECONDS = 0.1
LONGEST_DELAY_SECONDS = 30.0
HOPELESS = 3
"""Failures in a row, with no child alive, after which calls fail at once instead of waiting for one."""


class Backoff:
    """Counts failed starts in a row; each doubles the delay. Times are of time.monotonic()."""

    def __init__(self) -> None:
        self._failures = 0
        self._failed_at = 0.0
        self._not_before = 0.0
        self._reason = ""

    def succeeded(self) -> None:
        """A child has answered a call."""
        self._failures = 0

    def failed(self, reason: str, started: float) -> WorkerStartFailed:
        """A child started at `started` did not come up. Several that were started together fail once."""
        if started >= self._failed_at:
            self._failures += 1
        delay = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2.0 ** min(self._failures - 1, 16))
        self._failed_at = time.monotonic()
        self._not_before = self._failed_at + delay
        self._reason = reason
        return WorkerStartFailed(reason, self._failures, delay)

    def remaining(self) -> float:
        """Seconds until the next start may be attempted; not above zero when it may be now."""
        return self._not_before - time.monotonic()

    def verdict(self) -> WorkerStartError | None:
        """What to tell a call that has no child: nothing, while the next attempt is worth waiting for."""
        delay = self.remaining()
        if self._failures < HOPELESS or delay <= 0:
            return None
        return WorkerStartError(self._reason, self._failures, delay)
