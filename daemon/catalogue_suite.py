"""One suite as its files say: its package found, its jobs and queues read, its settings checked."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import re
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from daemon.job import Job
from daemon.naming import did_you_mean
from daemon.queue import WorkQueue
from daemon.setting_problems import explained

T = TypeVar("T")
DECLARES_A_JOB = re.compile(r"^@(\w+\.)*(job|poll|on)\(", re.MULTILINE)


class NoSuite(Exception):
    """The name is not that of a suite; the message says what is there instead."""


@dataclass(frozen=True)
class Suite:
    """What a suite declares, by name, and its settings; nothing of what could not be loaded.

    `unread`: the jobs whose files could not be, or the suite's own name for all of them. Whatever else names one of
    them may well be right.
    """

    jobs: dict[str, Job] = field(default_factory=dict)
    queues: dict[str, WorkQueue] = field(default_factory=dict)
    settings: BaseModel | None = None
    unread: frozenset[str] = frozenset()


def read(package: str, given: dict[str, Any], origins: Mapping[str, str], problems: list[str]) -> Suite:
    """Import the suite's job files. `given` is its section of the configuration; what is wrong goes to `problems`."""
    suite = package.rpartition(".")[2]
    unread: set[str] = set()
    modules: list[ModuleType] = []
    settings = None
    try:
        with _told(package, problems, unread, suite):
            for file in _job_files(package):
                with _told(package, problems, unread, f"{suite}.{file.stem}"):
                    modules.append(importlib.import_module(f"{package}.{file.stem}"))
        with _told(package, problems):
            settings = _settings(package, given, origins, problems)
    except NoSuite as error:
        problems.append(f"suites: {package!r}: {error}")
        unread.add(suite)
    jobs = [
        j for m in modules for j in _values(m, Job) if _is_named_by_path(j, m, problems) and _awaits(j, m, problems)
    ]
    queues = [q for m in modules for q in _values(m, WorkQueue)]
    return Suite({j.name: j for j in jobs}, {q.name: q for q in queues}, settings, frozenset(unread))


@contextmanager
def _told(package: str, problems: list[str], unread: set[str] | None = None, name: str = "") -> Iterator[None]:
    """What the block raises is a problem to be told once; `name` goes to what is unread."""
    try:
        yield
    except NoSuite:
        raise
    except Exception as error:  # noqa: BLE001 - a suite's module may raise anything; all of it is its author's to see
        problem = f"suites: {package!r} cannot be loaded: {_where(error)}{type(error).__name__}: {error}"
        if problem not in problems:  # a helper that several files import
            problems.append(problem)
        if unread is not None:
            unread.add(name)


def _job_files(package: str) -> list[Path]:
    """The suite's job files, at least one. Raises `NoSuite`.

    Files that declare none (rules, geometry) are not imported here: workers do.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise NoSuite(f"there is no such package on the import path{did_you_mean(package, _siblings(package))}")
    importlib.import_module(package)
    folder = Path(next(iter(spec.submodule_search_locations)))
    files = [
        file
        for file in sorted(folder.glob("*.py"))
        if not file.stem.startswith("_") and DECLARES_A_JOB.search(file.read_text(encoding="utf-8"))
    ]
    if not files:
        raise NoSuite(f"{folder} has no file that declares a job with @job, @poll or @on: name a suite's package")
    return files


def _siblings(package: str) -> list[str]:
    """The packages beside it, by their whole names."""
    parent = package.rpartition(".")[0]
    spec = importlib.util.find_spec(parent) if parent else None
    folders = (spec and spec.submodule_search_locations) or []
    return [f"{parent}.{found.name}" for found in pkgutil.iter_modules(folders) if found.ispkg]


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


def _awaits(found: Job, module: ModuleType, problems: list[str]) -> bool:
    """A body is awaited: a plain function would fail in each run, and a generator too."""
    body = inspect.unwrap(found.body)
    if not inspect.isfunction(body) or inspect.iscoroutinefunction(body):
        return True
    problems.append(f"{module.__file__}: {body.__name__!r} cannot be awaited: write `async def`, and no `yield`")
    return False


def _settings(package: str, given: dict[str, Any], origins: Mapping[str, str], problems: list[str]) -> BaseModel | None:
    suite = package.rpartition(".")[2]
    if importlib.util.find_spec(f"{package}.settings") is None:
        if given:
            problems.append(f"suite.{suite}: this suite has no settings")
        return None
    model: type[BaseModel] = importlib.import_module(f"{package}.settings").Settings
    try:
        return model.model_validate(given)
    except ValidationError as error:
        problems += explained(error.errors(), model, origins, under=("suite", suite))
        return None
