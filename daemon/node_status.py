"""What a node says of itself once a second while it works: for `sexton status`, STATUS= and the dashboard."""

from __future__ import annotations

import time
from typing import Any

from daemon.engine import Engine
from daemon.health import Evidence
from daemon.loop_lag import LoopMonitor


def evidence(engine: Engine, monitor: LoopMonitor) -> Evidence:
    """What can be observed just now, without asking anybody. Safe to call from another thread."""
    now = time.monotonic()
    outage = engine.outage
    return Evidence(
        loop_lag=max(monitor.standing_still(), 0.0),
        tick_overdue=max(now - engine.ticker.next_at, 0.0) if engine.ticker.next_at else 0.0,
        database_age=now - engine.last_answer,
        outage=f"{outage.error} (for {now - outage.since:.0f} s)" if outage.since is not None else None,
        pool_alive=engine.pool_alive,
        lease=engine.lease.lease,
        holds_lease=engine.lease.holds,
        draining=not engine.claiming,
    )


def snapshot(engine: Engine, monitor: LoopMonitor, started: float) -> dict[str, Any]:
    """The status row: what runs with its progress, the pool, the loop's lag."""
    stats = engine.pool.stats()
    return {
        "uptime_s": round(time.monotonic() - started, 1),
        "running": [
            {
                "run": run.claimed.id,
                "job": run.claimed.job,
                "due_at": run.claimed.due_at.isoformat(),
                "attempt": run.claimed.attempt,
                "seconds": round(time.monotonic() - run.began, 1),
                "done": run.done,
                "total": run.total,
            }
            for run in list(engine.executor.active.values())[:200]
        ],
        "suites": sorted(engine.catalogue.packages),
        "slots": {"size": engine.slots.runs, "used": engine.slots.used_runs},
        "pool": {"size": stats.size, "busy": stats.busy, "idle": stats.idle, "starting": stats.starting,
                 "died": stats.died},
        "loop_lag_ms": round(monitor.lag * 1000, 1),
        "listening": engine.listener.healthy,
        "metrics": engine.settings.metrics.listen != "off",
        "draining": not engine.claiming,
    }  # fmt: skip


def sentence(engine: Engine) -> str:
    """One line with numbers, for systemd's STATUS=."""
    if engine.outage.since is not None:
        away = time.monotonic() - engine.outage.since
        return f"database away for {away:.0f} s ({engine.outage.error}); asking until it answers"
    running, jobs = len(engine.executor.active), len(engine.roster.jobs)
    stats = engine.pool.stats()
    text = f"{jobs} jobs, {running} running, {stats.busy}/{stats.size} workers busy"
    upcoming = engine.ticker.upcoming(1)
    if upcoming:
        text += f", next {upcoming[0][1]} at {upcoming[0][0]:%H:%M:%S} UTC"
    return text if engine.claiming else f"draining: {running} running"
