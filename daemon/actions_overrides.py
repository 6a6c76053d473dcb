"""What a person may override of a job's settings, beside its configuration: one transaction each, audited, told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import asyncpg
from pydantic import ValidationError

from daemon import ledger, overlay, schedule, sql
from daemon.actions_deed import Actor, Deed, Invalid, Stale, deed
from daemon.job import Job
from daemon.jsonable import to_json
from daemon.roster import DISABLED
from daemon.setting_problems import explained
from daemon.settings import JobSettings

LOCK_JOB, OVERRIDE_JOB = sql.load(__file__, "lock_job", "override_job")


async def override_job(
    connection: asyncpg.Connection, actor: Actor, job: Job, changes: Mapping[str, Any], *,
    action: str = "override", revision: int | None = None,
) -> tuple[Job, list[str]]:  # fmt: skip
    """Override settings of a job (the keys of `JobSettings`); None takes an override back. Nodes follow at once.

    `job` is as configured. Returns it as it is now, and warnings. Raises `Invalid` for values that cannot be used,
    and `Stale`; then nothing is changed.
    """
    async with deed(connection, actor, action) as doing:
        before: dict[str, Any] = json.loads((await locked(doing, job.name, revision))["overrides"])
        after = {key: value for key, value in (before | dict(changes)).items() if value is not None}
        changed, warnings = checked(job, after)
        if after != before:
            await doing.fetch(OVERRIDE_JOB, job.name, actor.who, to_json(after))
            doing.did(job.name, {"overrides": before}, {"overrides": after}, f"job:{job.name}")
        return changed, warnings


async def reschedule_job(
    connection: asyncpg.Connection, actor: Actor, job: Job, expression: str | None, timezone: str | None = None, *,
    revision: int | None = None,
) -> tuple[Job, list[str]]:  # fmt: skip
    """Override a job's schedule, or with None drop the override, its zone too. As `override_job`."""
    changes: dict[str, Any] = {"schedule": expression}
    if timezone or not expression:
        changes["timezone"] = timezone
    return await override_job(connection, actor, job, changes, action="reschedule", revision=revision)


def checked(job: Job, overrides: Mapping[str, Any]) -> tuple[Job, list[str]]:
    """PURE: the job under these overrides, and warnings. Raises `Invalid` with everything wrong."""
    try:
        changed = overlay.laid_over(job, overlay.typed(overrides))
    except ValidationError as error:
        raise Invalid(*explained(error.errors(), JobSettings, {}, otherwise=job.name)) from None
    except ValueError as error:
        raise Invalid(f"{job.name}: {error}") from None
    found = schedule.problems(changed.trigger) if isinstance(changed.trigger, schedule.Schedule) else []
    if errors := [f"{job.name}: {p.message}" for p in found if p.severity == "error"]:
        raise Invalid(*errors)
    return changed, [f"{job.name}: {p.message}" for p in found]


async def locked(doing: Deed, job: str, revision: int | None = None) -> asyncpg.Record:
    """The job's row; made now if no node has met the job yet, as disabled, so that no past is invented for it.

    Raises `Stale` when it is not at this `revision` any more.
    """
    await doing.fetch(ledger.INTRODUCE_JOBS, [job], [DISABLED])
    row = (await doing.fetch(LOCK_JOB, job))[0]
    if revision is not None and row["revision"] != revision:
        raise Stale(
            f"{job} is not as you saw it; last changed by {row['changed_by'] or 'nobody'}: look again, then decide"
        )
    return row
