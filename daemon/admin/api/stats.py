"""How well jobs do: success rate, how long they take, how late they begin."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

import asyncpg
from fastapi import APIRouter, Query
from pydantic import BaseModel

from daemon import sql
from daemon.admin.access import Viewer
from daemon.admin.api.runs import named
from daemon.admin.models import Text
from daemon.admin.problems import Problematic
from daemon.admin.state import AdminState, State
from daemon.setting_types import parse_duration

(STATS,) = sql.load(__file__, "stats")
LONGEST = timedelta(days=92)
MOST_JOBS = 1000

router = APIRouter(prefix="/api/v1", tags=["stats"])


class Percentiles(BaseModel):
    """Seconds."""

    p50: float
    p95: float
    p99: float

    @classmethod
    def of(cls, values: list[float] | None) -> Percentiles | None:
        return None if values is None else cls(p50=values[0], p95=values[1], p99=values[2])


class JobStats(BaseModel):
    """Of one job's due instants in the window. `success_rate`: succeeded ÷ (succeeded + failed); null without any."""

    job: str
    instants: int
    succeeded: int
    failed: int
    skipped: int
    missed: int
    cancelled: int
    outstanding: int
    success_rate: float | None
    duration_s: Percentiles | None
    lateness_s: Percentiles | None


def _window(text: object) -> timedelta:
    window = parse_duration(text)
    if not isinstance(window, timedelta) or not timedelta(0) < window <= LONGEST:
        raise ValueError("write a duration of at most 92 days, such as 1h, 24h or 7d")
    return window


@router.get("/stats")
async def stats(
    state: State, _: Viewer,
    window: Annotated[str, Query(max_length=20, description="How far back: 1h, 24h, 7d; at most 92d.")] = "24h",
    job: Annotated[list[Text] | None, Query(max_length=MOST_JOBS)] = None,
    suite: Annotated[Text | None, Query(max_length=100)] = None,
) -> list[JobStats]:  # fmt: skip
    """One entry a job that had anything due in the window."""
    try:
        back = _window(window)
    except ValueError as error:
        raise Problematic(422, f"window: {error}") from error
    names = named(state, job, suite)
    return await stats_of(state, list(state.catalogue.jobs) if names is None else names, back)


async def stats_of(state: AdminState, jobs: Sequence[str], back: timedelta) -> list[JobStats]:
    """Of jobs by their own names, as far back. Raises `DatabaseDown` and `TooBusy`."""
    return [_of(row) for row in await state.database.fetch(STATS, list(jobs), back)]


def _of(row: asyncpg.Record) -> JobStats:
    ended = row["succeeded"] + row["failed"]
    plain = {key: row[key] for key in JobStats.model_fields.keys() & row.keys()}
    return JobStats(
        **plain, success_rate=row["succeeded"] / ended if ended else None, duration_s=Percentiles.of(row["duration"]),
        lateness_s=Percentiles.of(row["lateness"]),
    )  # fmt: skip
