"""PURE: what is wrong with a set of jobs as a whole. A bad line must stop the start, not the third Tuesday."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from graphlib import CycleError, TopologicalSorter

from daemon.job import Job, OnEvent, Overlap, Poll
from daemon.naming import did_you_mean, is_of
from daemon.schedule import problems as schedule_problems
from daemon.settings import Settings


def check(jobs: Mapping[str, Job], settings: Settings, unread: Collection[str] = ()) -> tuple[list[str], list[str]]:
    """Errors and warnings, each a sentence that names the job. `unread`: see `daemon.catalogue_suite.Suite`."""
    errors: list[str] = []
    warnings: list[str] = []
    for job in jobs.values():
        _check_schedule(job, errors, warnings)
        _check_policy(job, errors)
        _check_connections(job, settings, errors)
        _check_dependencies(job, jobs, unread, errors)
    _check_cycles(jobs, errors)
    _check_aliases(jobs, errors)
    return errors, warnings


def _check_schedule(job: Job, errors: list[str], warnings: list[str]) -> None:
    if isinstance(job.trigger, Poll):
        if job.trigger.every.total_seconds() <= 0:
            errors.append(f"{job.name}: a poll needs an interval above zero")
        return
    if isinstance(job.trigger, OnEvent):
        return
    for problem in schedule_problems(job.trigger):
        (errors if problem.severity == "error" else warnings).append(f"{job.name}: {problem.message}")


def _check_policy(job: Job, errors: list[str]) -> None:
    if job.catch_up.is_each:
        if job.overlap is not Overlap.QUEUE:
            errors.append(
                f"{job.name}: catch_up '{job.catch_up}' runs every instant in order, so overlap must be "
                f"'queue', not '{job.overlap}'"
            )
        if job.max_lateness is not None:
            errors.append(f"{job.name}: catch_up '{job.catch_up}' is never too late; remove max_lateness")
    if job.timeout.total_seconds() <= 0:
        errors.append(f"{job.name}: timeout must be above zero")


def _check_connections(job: Job, settings: Settings, errors: list[str]) -> None:
    if not 0 <= job.connections <= settings.database.pool:
        errors.append(f"{job.name}: needs {job.connections} connections; database.pool has {settings.database.pool}")


def _check_dependencies(job: Job, jobs: Mapping[str, Job], unread: Collection[str], errors: list[str]) -> None:
    for name in (*job.requires, *job.after):
        if name not in jobs and not is_of(name, unread):
            errors.append(f"{job.name}: depends on {name!r}, which does not exist{did_you_mean(name, jobs)}")
        elif name == job.name:
            errors.append(f"{job.name}: depends on itself")


def _check_cycles(jobs: Mapping[str, Job], errors: list[str]) -> None:
    graph = {name: {d for d in (*job.requires, *job.after) if d in jobs and d != name} for name, job in jobs.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        errors.append(f"dependencies form a cycle: {' → '.join(error.args[1])}")


def _check_aliases(jobs: Mapping[str, Job], errors: list[str]) -> None:
    owners: dict[str, str] = {}
    for job in jobs.values():
        errors += [
            f"{job.name}: the alias {alias!r} already means {owners.get(alias, alias)!r}"
            for alias in job.aliases
            if alias in jobs or owners.setdefault(alias, job.name) != job.name
        ]
