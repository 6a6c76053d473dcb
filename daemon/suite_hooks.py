"""The hooks that suites declare: `hooks.py` of each, found and checked as a whole. No HTTP is imported here."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from daemon.hook import Hook

FILE = "hooks"
PREFIX = "/hooks/"


@dataclass(frozen=True, slots=True)
class SuiteHook:
    """`path` is all of it: /hooks/<suite>/…"""

    suite: str
    path: str
    hook: Hook


def read(packages: Mapping[str, str], problems: list[str]) -> dict[str, SuiteHook]:
    """Whole path → hook; `packages` is suite → import name. What is wrong goes to `problems`, a sentence each."""
    found: dict[str, SuiteHook] = {}
    for suite, package in packages.items():
        for hook in _declared(package, problems):
            path = f"{PREFIX}{suite}{hook.path}"
            place = f"{package}.{FILE}: POST {path}"
            if path in found:
                problems.append(f"{place}: is declared twice")
            elif inspect.iscoroutinefunction(hook.read):
                problems.append(f"{place}: its function must not be `async def`: it only reads what came")
            else:
                found[path] = SuiteHook(suite, path, hook)
    return found


def _declared(package: str, problems: list[str]) -> Iterable[Hook]:
    name = f"{package}.{FILE}"
    try:
        if importlib.util.find_spec(name) is None:
            return []
        module = importlib.import_module(name)
    except Exception as error:  # noqa: BLE001 - a suite's module may raise anything; all of it is its author's to see
        problems.append(f"{name} cannot be loaded: {type(error).__name__}: {error}")
        return []
    return [value for value in vars(module).values() if isinstance(value, Hook)]
