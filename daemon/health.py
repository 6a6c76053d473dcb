"""PURE: is this node well? Evidence of progress, not the absence of complaints."""

from __future__ import annotations

from dataclasses import dataclass

LOOP_LAG_LIMIT = 10.0
TICK_GRACE = 30.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was observed just now, in seconds. `tick_overdue`: how far the ticker is past its own next due time."""

    loop_lag: float
    tick_overdue: float
    database_age: float
    outage: str | None
    pool_alive: bool
    lease: float
    holds_lease: bool
    draining: bool = False


def unwell(e: Evidence) -> list[str]:
    """Why the watchdog must not be fed: each a reason a restart might cure. A lost database is not one."""
    reasons = []
    if e.loop_lag > LOOP_LAG_LIMIT:
        reasons.append(f"event loop stands still for {e.loop_lag:.0f} s")
    if e.outage is None:
        if e.tick_overdue > TICK_GRACE:
            reasons.append(f"ticker is {e.tick_overdue:.0f} s behind its own schedule")
        if e.database_age > max(2 * e.lease, TICK_GRACE):
            reasons.append(f"no database answer for {e.database_age:.0f} s, and no outage is known")
    if not e.pool_alive:
        reasons.append("the worker pool does not answer")
    return reasons


def unready(e: Evidence) -> list[str]:
    """Why this node takes no work just now."""
    reasons = unwell(e)
    if e.outage is not None:
        reasons.append(f"database: {e.outage}")
    elif not e.holds_lease:
        reasons.append("the node's lease is not held")
    if e.draining:
        reasons.append("draining")
    return reasons
