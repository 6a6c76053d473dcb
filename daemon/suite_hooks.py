"""The hooks that suites declare: `hooks.py` of each, found and checked as a whole. No HTTP is imported here."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass

from daemon.hook import Hook
from daemon.suite_module import declared

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
        for hook in declared(package, FILE, Hook, problems).values():
            path = f"{PREFIX}{suite}{hook.path}"
            place = f"{package}.{FILE}: POST {path}"
            if path in found:
                problems.append(f"{place}: is declared twice")
            elif inspect.iscoroutinefunction(hook.read):
                problems.append(f"{place}: its function must not be `async def`: it only reads what came")
            else:
                found[path] = SuiteHook(suite, path, hook)
    return found
