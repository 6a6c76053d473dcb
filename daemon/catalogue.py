"""Which jobs there are: suites found by name, each file's job read, configuration laid over, the whole checked."""

from __future__ import annotations

import importlib
import importlib.util
import re
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from daemon import overlay
from daemon.catalogue_checks import check
from daemon.config import ConfigError, shown
from daemon.job import Job
from daemon.naming import did_you_mean
from daemon.queue import WorkQueue
from daemon.settings import Settings

T = TypeVar("T")
DECLARES_A_JOB = re.compile(r"^@(\w+\.)*(job|poll|on)\(", re.MULTILINE)


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
    for package in settings.suites:
        suite = package.rpartition(".")[2]
        if suite in packages:
            problems.append(f"suites: {package!r} and {packages[suite]!r} are both called {suite!r}")
            continue
        packages[suite] = package
        try:
            modules = _job_modules(package)
            suites[suite] = _suite_settings(package, suite, settings.suite.get(suite, {}), problems)
        except Exception as error:  # noqa: BLE001 - a suite's module may raise anything; all of it is its author's to see
            problems.append(f"suites: {package!r} cannot be loaded: {_where(error)}{type(error).__name__}: {error}")
            continue
        for module in modules:
            declared.update({j.name: j for j in _values(module, Job) if _is_named_by_path(j, module, problems)})
            queues.update({q.name: q for q in _values(module, WorkQueue)})
    problems += [
        f"suite.{name}: no such suite is enabled{did_you_mean(name, packages)}"
        for name in settings.suite
        if name not in packages
    ]
    jobs, job_origins = overlay.configured(declared, settings.jobs, origins, problems)
    found, warnings = check(jobs, settings)
    if problems or found:
        raise ConfigError(problems + found)
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


def _job_modules(package: str) -> list[ModuleType]:
    """The suite's job files. Files that declare none (rules, geometry) are not imported here: workers do."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("no such package on the import path")
    importlib.import_module(package)
    folder = Path(next(iter(spec.submodule_search_locations)))
    return [
        importlib.import_module(f"{package}.{file.stem}")
        for file in sorted(folder.glob("*.py"))
        if not file.stem.startswith("_") and DECLARES_A_JOB.search(file.read_text(encoding="utf-8"))
    ]


def _where(error: Exception) -> str:
    """`file:line: ` of the suite's line that raised; nothing if it was none of the suite's."""
    ours = str(Path(__file__).parent)
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [f for f in frames if "importlib" not in f.filename and not f.filename.startswith(("<", ours))]
    return f"{theirs[-1].filename}:{theirs[-1].lineno}: " if theirs else ""


def _values(module: ModuleType, kind: type[T]) -> list[T]:
    return [value for value in vars(module).values() if isinstance(value, kind)]


def _is_named_by_path(found: Job, module: ModuleType, problems: list[str]) -> bool:
    """A job's name is its path: the coroutine function is called like its file."""
    if found.body.__module__ != module.__name__:
        return False
    stem = module.__name__.rpartition(".")[2]
    if getattr(found.body, "__name__", stem) != stem:
        problems.append(
            f"{module.__file__}: declares {found.body.__name__!r}; a job is named like its file, "
            f"so rename the function to {stem!r} or the file to {found.body.__name__}.py"
        )
        return False
    return True


def _suite_settings(package: str, suite: str, given: dict[str, Any], problems: list[str]) -> BaseModel | None:
    if importlib.util.find_spec(f"{package}.settings") is None:
        if given:
            problems.append(f"suite.{suite}: this suite has no settings")
        return None
    model: type[BaseModel] = importlib.import_module(f"{package}.settings").Settings
    try:
        return model.model_validate(given)
    except ValidationError as error:
        for e in error.errors():
            key = ".".join((suite, *(str(part) for part in e["loc"])))
            if e["type"] == "extra_forbidden":
                hint = did_you_mean(str(e["loc"][-1]), model.model_fields)
                problems.append(f"suite.{key}: there is no such setting{hint}")
            else:
                problems.append(f"suite.{key} = {shown(key, e['input'])}: {e['msg'].removeprefix('Value error, ')}")
        return None


def with_jobs(catalogue: Catalogue, jobs: Mapping[str, Job]) -> Catalogue:
    return replace(catalogue, jobs=MappingProxyType(dict(jobs)))
