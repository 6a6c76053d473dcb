"""What cron jobs did last and how often, for monitors that ask for it at /api/health/cron. Survives restarts."""

from __future__ import annotations

import time
from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from daemon.admin.access import Viewer
from daemon.admin.api.job_manager import latest
from daemon.admin.api.job_words import names_of
from daemon.admin.state import State
from daemon.schedule import Cron, Every

router = APIRouter(prefix="/api/health", tags=["as other systems ask"])


class CronHealth(BaseModel):
    """Beside these, for each scheduled job a key such as `lastDailyCheck`: when it last succeeded, or null.

    `uptime`: seconds this node has served. `tasksCompleted`: runs that succeeded, as far back as the ledger goes.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, datetime | None]

    uptime: float
    tasksCompleted: dict[str, int]  # noqa: N815 - the interface is not ours


@router.get("/cron")
async def cron(state: State, _: Viewer) -> CronHealth:
    """When each scheduled job last succeeded, and how often it has."""
    jobs = [job for job in state.catalogue.jobs.values() if isinstance(job.trigger, Cron | Every)]
    last = await latest(state, [job.name for job in jobs])
    done: dict[str, int] = {}
    told: dict[str, datetime | None] = {}
    for job in jobs:
        called, row = names_of(job), last[job.name]
        done[called.count] = done.get(called.count, 0) + row["succeeded"]
        known = [at for at in (told.get(called.last), row["succeeded_at"]) if at is not None]
        told[called.last] = max(known, default=None)
    uptime = round(time.monotonic() - state.started, 3)
    return CronHealth.model_validate({**told, "uptime": uptime, "tasksCompleted": done})
