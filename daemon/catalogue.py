"""Which jobs there are: suites found by name, each file's job read, configuration laid over, the whole checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from daemon import catalogue_suite, overlay
from daemon.catalogue_checks import check
from daemon.config import ConfigError
from daemon.job import Job
from daemon.naming import did_you_mean
from daemon.queue import WorkQueue
from daemon.settings import Settings


class UnknownJob(LookupError):
    """No job answers to this name. The message says which name comes nearest."""


@dataclass(frozen=True)
class Catalogue:
    """Every job of this node by name, as configured, before an administrator's overrides.

    `origins` says where each configured field of a job came from, by job name, then field.
    """

    jobs: Mapping[str, Job]
    queues: Mapping[str, WorkQueue] = field(default_factory=dict)
    settings: Mapping[str, BaseModel | None] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    origins: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def resolve(self, name: str) -> Job:
        """The job of this name or alias. Raises `UnknownJob`."""
        if found := self.jobs.get(name):
            return found
        for candidate in self.jobs.values():
            if name in candidate.aliases:
                return candidate
        known = [*self.jobs, *(alias for j in self.jobs.values() for alias in j.aliases)]
        raise UnknownJob(f"there is no job {name!r}{did_you_mean(name, known)}")


def load(settings: Settings, origins: Mapping[str, str] = MappingProxyType({})) -> Catalogue:
    """Import the suites and check them as a whole. Raises `ConfigError` with everything wrong."""
    problems: list[str] = []
    declared: dict[str, Job] = {}
    queues: dict[str, WorkQueue] = {}
    suites: dict[str, BaseModel | None] = {}
    packages: dict[str, str] = {}
    unread: set[str] = set()
    for package in settings.suites:
        suite = package.rpartition(".")[2]
        if suite in packages:
            problems.append(f"suites: {package!r} and {packages[suite]!r} are both called {suite!r}")
            continue
        packages[suite] = package
        read = catalogue_suite.read(package, settings.suite.get(suite, {}), origins, problems)
        declared |= read.jobs
        queues |= read.queues
        suites[suite] = read.settings
        unread |= read.unread
    problems += [
        f"suite.{name}: no such suite is enabled{did_you_mean(name, packages)}"
        for name in settings.suite
        if name not in packages
    ]
    jobs, job_origins = overlay.configured(declared, settings.jobs, origins, problems, unread)
    found, warnings = check(jobs, settings, unread)
    if problems or found:
        raise ConfigError(problems + found)
    if not settings.node.jobs_enabled:
        jobs = {name: replace(job, enabled=False) for name, job in jobs.items()}
        for name in jobs:
            job_origins[name]["enabled"] = origins.get("node.jobs_enabled", "configuration")
    return Catalogue(
        jobs=MappingProxyType(dict(sorted(jobs.items()))),
        queues=MappingProxyType(queues),
        settings=MappingProxyType(suites),
        packages=MappingProxyType(packages),
        warnings=tuple(warnings),
        origins=job_origins,
    )


def of(jobs: list[Job], **parts: Any) -> Catalogue:
    """A catalogue of given jobs, for benches and tests that need no files."""
    return Catalogue(jobs=MappingProxyType({j.name: j for j in jobs}), **parts)


def with_jobs(catalogue: Catalogue, jobs: Mapping[str, Job]) -> Catalogue:
    return replace(catalogue, jobs=MappingProxyType(dict(jobs)))
