"""One job, several voices: decorator < config.toml < environment < an administrator's override."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

from daemon.catchup import CatchUp
from daemon.job import Job, Overlap
from daemon.naming import did_you_mean, is_of
from daemon.retry import Priority
from daemon.schedule import Cron, Every, OnDemand, Schedule, phased
from daemon.settings import JobSettings, parse_duration

JOB_FIELDS = {f.name for f in fields(Job)}
PARSED = {"catch_up", "overlap", "priority"}
SHORTEST_PERIOD = timedelta(seconds=1)
"""Of what operators may configure; what must be quicker is a poll, which leaves a row only when it did something."""


def configured(
    declared: Mapping[str, Job],
    by_suite: Mapping[str, Mapping[str, JobSettings]],
    origins: Mapping[str, str],
    problems: list[str],
    unread: Collection[str] = (),
) -> tuple[dict[str, Job], dict[str, dict[str, str]]]:
    """Lay `[jobs.<suite>.<job>]` over the declared jobs; unknown names become problems.

    `unread`: see `daemon.catalogue_suite.Suite`.
    """
    jobs = dict(declared)
    where: dict[str, dict[str, str]] = {name: {} for name in jobs}
    for suite, sections in by_suite.items():
        for stem, section in sections.items():
            name = f"{suite}.{stem}"
            if name not in jobs:
                if not is_of(name, unread):
                    problems.append(f"jobs.{name}: there is no such job{did_you_mean(name, declared)}")
                continue
            said = section.model_dump(exclude_none=True)
            jobs[name], wrong = _laid_over(jobs[name], said)
            problems += [f"jobs.{name}: {text}" for text in wrong]
            where[name] = {key: origins.get(f"jobs.{name}.{key}", "configuration") for key in said}
    return jobs, where


def laid_over(job: Job, said: Mapping[str, Any]) -> Job:
    """The job with some fields replaced. Raises `ValueError` for values that make no sense for it, all of them."""
    job, problems = _laid_over(job, said)
    if problems:
        raise ValueError("; ".join(problems))
    return job


def _laid_over(job: Job, said: Mapping[str, Any]) -> tuple[Job, list[str]]:
    """Field by field, so that one bad value hides no other."""
    problems: list[str] = []

    def tried(change: Callable[[Job], Job]) -> None:
        nonlocal job
        try:
            job = change(job)
        except ValueError as error:
            problems.append(str(error))

    if "schedule" in said or "timezone" in said:
        tried(lambda j: replace(j, trigger=_trigger(j, said.get("schedule"), said.get("timezone"))))
    if "catch_up" in said:
        tried(lambda j: replace(j, catch_up=CatchUp.parse(said["catch_up"])))
    if "overlap" in said:
        tried(lambda j: replace(j, overlap=Overlap(said["overlap"])))
    if "priority" in said:
        tried(lambda j: replace(j, priority=Priority[str(said["priority"]).upper()]))
    plain = {key: value for key, value in said.items() if key in JOB_FIELDS and key not in PARSED}
    tried(lambda j: replace(j, **plain))
    return job, problems


def typed(stored: Mapping[str, Any]) -> dict[str, Any]:
    """An override as the database keeps it (JSON), in a job's own types. Raises `ValueError`."""
    return JobSettings.model_validate(stored).model_dump(exclude_none=True)


def parse_schedule(text: str, tz: str) -> Schedule:
    """`every 30` (seconds), `every 5m`, `ondemand`, or a cron expression. Raises `ValueError` for no duration."""
    word, _, rest = text.strip().partition(" ")
    word = word.lower()
    if word == "every":
        return _every(text.strip(), rest)
    if word == "ondemand":
        return OnDemand()
    return Cron(text.strip(), tz)


def _every(text: str, period: str) -> Every:
    try:
        duration = parse_duration(period)
    except ValueError:
        raise ValueError(f'"{text}": write a duration after every, such as "every 30s" or "every 5m"') from None
    assert isinstance(duration, timedelta)
    if duration < SHORTEST_PERIOD:
        raise ValueError(f'"{text}": the shortest period is one second; each instant is a row of the ledger')
    return Every(duration)


def _trigger(job: Job, schedule: str | None, timezone: str | None) -> Schedule:
    if not isinstance(job.trigger, Cron | Every | OnDemand):
        raise ValueError(  # noqa: TRY004 - the operator's value is wrong, not ours
            "its schedule cannot be changed: it is a poll or an event handler"
        )
    tz = timezone or (job.trigger.tz if isinstance(job.trigger, Cron) else "UTC")
    if schedule is not None:
        return phased(parse_schedule(schedule, tz), job.name)
    if not isinstance(job.trigger, Cron):
        raise ValueError("timezone applies to cron schedules only")  # noqa: TRY004 - as above
    return Cron(job.trigger.expression, tz)
