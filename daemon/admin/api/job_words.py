"""PURE: the names that other systems call our jobs by, from a job's aliases.

An alias is a plain name (`nightly-report`), or TYPE/NAME (`reminder/dailyCheck`). Where TYPE begins with `last`
(`lastCheck/checks`) it is the field in which /api/health/cron tells when the job last succeeded.
"""

from __future__ import annotations

from dataclasses import dataclass

from daemon.catalogue import Catalogue, UnknownJob
from daemon.job import Job


@dataclass(frozen=True, slots=True)
class Names:
    """`process`: as a background process. `type`, `task`: of the job manager. `last`, `count`: of the cron's health."""

    process: str
    type: str
    task: str
    last: str
    count: str


def names_of(job: Job) -> Names:
    plain = [alias for alias in job.aliases if "/" not in alias]
    pairs = [alias.partition("/")[::2] for alias in job.aliases if "/" in alias]
    managed = next((pair for pair in pairs if not _is_last(pair[0])), None)
    told = next((pair for pair in pairs if _is_last(pair[0])), None)
    stem = camel_case(job.name.partition(".")[2])
    kind, task = managed or (job.suite, stem)
    last, count = told or (f"last{task[:1].upper()}{task[1:]}", task)
    return Names(plain[0] if plain else job.name, kind, task, last, count)


def _is_last(word: str) -> bool:
    return word.startswith("last") and word[4:5].isupper()


def camel_case(snake: str) -> str:
    """`daily_check` → `dailyCheck`."""
    first, *rest = snake.split("_")
    return first + "".join(word.capitalize() for word in rest)


def resolved(catalogue: Catalogue, kind: str, task: str) -> Job:
    """The job of a type and name, however the sender writes them. Raises `UnknownJob`."""
    for name in (f"{kind}/{task}", f"{kind}.{task}", task):
        try:
            return catalogue.resolve(name)
        except UnknownJob:
            continue
    named = ((names_of(job), job) for job in catalogue.jobs.values())
    called = {(names.type, names.task): job for names, job in named}
    return called.get((kind, task)) or catalogue.resolve(f"{kind}.{task}")
