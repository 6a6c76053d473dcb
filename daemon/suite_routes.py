"""The routes that suites declare: `routes.py` of each, found and checked as a whole. No HTTP is imported here."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import get_type_hints

from daemon.route import Route
from daemon.suite_module import declared

FILE = "routes"
OURS = frozenset({
    "me", "tokens", "jobs", "runs", "queues", "nodes", "workers", "outbox", "suppressions", "audit", "stats",
    "emergency-stop", "approvals", "reports", "backups",
})  # fmt: skip
"""First words of paths that are the engine's own."""


def read(packages: Mapping[str, str], problems: list[str]) -> dict[str, list[Route]]:
    """Suite → its routes; `packages` is suite → import name. What is wrong goes to `problems`, a sentence each."""
    found: dict[str, list[Route]] = {}
    taken: dict[str, str] = {}
    for suite, package in packages.items():
        for route in declared(package, FILE, Route, problems).values():
            place = f"{package}.{FILE}: {route.method} {route.path}"
            wrong = _wrong(route)
            if (other := taken.setdefault(f"{route.method} {_shape(route.path)}", place)) != place:
                wrong = [*wrong, f"is taken by {other}"]
            problems += [f"{place}: {sentence}" for sentence in wrong]
            if not wrong:
                found.setdefault(suite, []).append(route)
    return found


def _wrong(route: Route) -> list[str]:
    found = []
    if route.path.split("/")[1] in OURS:
        found.append("begins like a path of the engine's own")
    if not inspect.iscoroutinefunction(route.answer):
        found.append("its function must be `async def`")
    _, *parameters = inspect.signature(route.answer).parameters or [""]
    in_path = {part[1:-1] for part in route.path.split("/") if part.startswith("{")}
    if missing := sorted(in_path - set(parameters)):
        found.append(f"its function has no parameter {', '.join(missing)}")
    try:
        hints = get_type_hints(route.answer)
    except NameError as error:
        return [*found, f"its types cannot be read: {error}"]
    found += [f"its parameter {name} has no type" for name in parameters if name not in hints]
    return found


def _shape(path: str) -> str:
    """Paths that differ only in what a parameter is called are one."""
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))
