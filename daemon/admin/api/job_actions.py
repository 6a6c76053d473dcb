"""What a person does to a job: pause, resume, reschedule, override, run now. Every node follows at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Header, Response
from pydantic import BaseModel, Field, Strict, StrictBool

from daemon import actions, actions_overrides, in_force
from daemon.actions_deed import Invalid
from daemon.admin.access import Operator, Viewer
from daemon.admin.api.jobs import UPCOMING, DueInstant, JobDetail, detail, known_jobs
from daemon.admin.etag import Revision
from daemon.admin.models import Arguments, ChangedRun, Moment, Text, Why, revised
from daemon.admin.problems import described
from daemon.admin.state import AdminState, State
from daemon.job import Job
from daemon.unawaited import not_awaited

router = APIRouter(prefix="/api/v1/jobs/{job}", tags=["jobs"], responses=described(404, 409, 412))

Seconds = Annotated[float, Field(ge=0.001, le=timedelta(days=3650).total_seconds())]
Schedule = Annotated[Text, Field(min_length=1, max_length=200, examples=["0 6 * * mon-fri", "every 30s", "ondemand"])]
Zone = Annotated[Text, Field(min_length=1, max_length=100, examples=["Europe/Zurich"])]


Key = Annotated[
    Text | None,
    Header(min_length=1, max_length=200, description="Asked again with the same key within a day: the same run."),
]


class Timing(Why):
    """A schedule to have instead of the one in force; null is the configured one."""

    schedule: Schedule | None = None
    timezone: Zone | None = None


class Preview(BaseModel):
    """When the job would be due. `warnings` says what is surprising about the schedule."""

    schedule: str
    schedule_words: str
    timezone: str
    upcoming: list[DueInstant]
    warnings: list[str]


class Overrides(Why):
    """Settings to override; null takes an override back, and what is left out stays as it is."""

    schedule: Schedule | None = None
    timezone: Zone | None = None
    timeout_s: Seconds | None = None
    retries: Annotated[int, Strict(), Field(ge=0, le=100)] | None = None
    retry_delay_s: Seconds | None = None
    enabled: StrictBool | None = None

    def changes(self) -> dict[str, Any]:
        """As the ledger keeps them: durations in seconds."""
        given = self.model_dump(exclude={"reason"}, include=self.model_fields_set)
        return {key.removesuffix("_s"): value for key, value in given.items()}


class Wish(Why):
    """A run to have now. `due_at`: the instant it stands for, which has come; left out, now."""

    due_at: Moment | None = None
    args: Arguments = Field(default_factory=dict, max_length=100)
    again: StrictBool = Field(default=False, description="Even if it ran for that date or instant before.")


class Requested(BaseModel):
    """`run`, or where a second person has to agree first, `approval`. `not_awaited`: a sentence for each dependency
    that the run does not wait for, because a person asked for it."""

    run: int | None
    approval: int | None = None
    not_awaited: list[str] = []


class Resumed(BaseModel):
    """`released`: the runs that the pause had held."""

    job: JobDetail
    released: list[ChangedRun]


def job_named(state: AdminState, name: str) -> Job:
    """As configured, by name or alias. Raises `UnknownJob`."""
    return state.catalogue.resolve(name)


async def shown(state: AdminState, response: Response, name: str) -> JobDetail:
    found = detail(name, await known_jobs(state, [name]))
    revised(response, found.revision)
    return found


@router.post("/pause")
async def pause(
    state: State, caller: Operator, response: Response, revision: Revision, job: str, body: Why | None = None
) -> JobDetail:
    """From now on its instants are accounted for but not run. Who paused it first stays named."""
    name = job_named(state, job).name
    async with state.database.acting() as connection:
        await actions.pause_job(connection, caller.actor((body or Why()).reason), name, revision)
    return await shown(state, response, name)


@router.post("/resume")
async def resume(
    state: State, caller: Operator, response: Response, revision: Revision, job: str, body: Why | None = None
) -> Resumed:
    """Undo a pause; what it held may go."""
    name = job_named(state, job).name
    actor = caller.actor((body or Why()).reason)
    async with state.database.acting() as connection:
        released = await actions.resume_job(connection, actor, state.catalogue.jobs, name, revision)
    return Resumed(job=await shown(state, response, name), released=[ChangedRun.of(run) for run in released])


@router.post("/preview")
async def preview(state: State, _: Viewer, job: str, body: Timing) -> Preview:
    """The next ten instants under another schedule; nothing is changed."""
    configured = job_named(state, job)
    given = {key: value for key in ("schedule", "timezone") if (value := getattr(body, key)) is not None}
    changed, warnings = actions_overrides.checked(configured, given)
    coming = in_force.upcoming(changed, state.engine.clock.now(), UPCOMING)
    return Preview(
        schedule=in_force.schedule_text(changed), schedule_words=in_force.schedule_words(changed),
        timezone=in_force.zone_of(changed).key, upcoming=[DueInstant.of(i, changed) for i in coming],
        warnings=warnings,
    )  # fmt: skip


@router.put("/schedule")
async def reschedule(
    state: State, caller: Operator, response: Response, revision: Revision, job: str, body: Timing
) -> JobDetail:
    """Another schedule from now on; the old one is evaluated up to now first, so nothing is invented or lost."""
    configured = job_named(state, job)
    async with state.database.acting() as connection:
        await actions_overrides.reschedule_job(
            connection, caller.actor(body.reason), configured, body.schedule, body.timezone, revision=revision
        )
    return await shown(state, response, configured.name)


@router.patch("")
async def override(
    state: State, caller: Operator, response: Response, revision: Revision, job: str, body: Overrides
) -> JobDetail:
    """Override settings of a job, such as its timeout and retries."""
    configured = job_named(state, job)
    async with state.database.acting() as connection:
        await actions_overrides.override_job(
            connection, caller.actor(body.reason), configured, body.changes(), revision=revision
        )
    return await shown(state, response, configured.name)


@router.post("/run", status_code=202)
async def run_now(
    state: State, caller: Operator, job: str, body: Wish | None = None, idempotency_key: Key = None
) -> Requested:
    """A run, ready at once: whichever node has a free slot performs it."""
    wish, configured, now = body or Wish(), job_named(state, job), state.engine.clock.now()
    due_at = wish.due_at or now
    if due_at > now:
        raise Invalid(f"due_at: {due_at.isoformat()} is still to come; a run is performed at once")
    effective = (await known_jobs(state, [configured.name])).jobs.jobs[configured.name]
    async with state.database.acting() as connection:
        run = await actions.request_run(
            connection, caller.actor(wish.reason), effective, due_at=due_at, args=wish.args, again=wish.again,
            key=idempotency_key,
        )  # fmt: skip
        unmet = await not_awaited(connection, effective, due_at)
    return Requested(run=run, not_awaited=unmet)
