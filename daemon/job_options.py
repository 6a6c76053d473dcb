"""PURE: whether what a suite's file gives to `@job`, `@poll` and `@on` is of the right kind, told where it stands.

Later, a number that should have been a duration would be a fault somewhere in the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from enum import StrEnum

from daemon.catchup import CatchUp
from daemon.naming import did_you_mean
from daemon.retry import Priority

DURATION = "a duration, such as minutes(10)"
NAMES = 'a tuple of names, such as ("house.tidy",)'


def is_duration(value: object) -> bool:
    return isinstance(value, timedelta)


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _are_names(value: object) -> bool:
    """Not a string: that would be a tuple of its letters."""
    return isinstance(value, tuple) and all(isinstance(name, str) for name in value)


def _or_none(holds: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: value is None or holds(value)


def _of(*kinds: type) -> Callable[[object], bool]:
    return lambda value: isinstance(value, kinds)


RULES: Mapping[str, tuple[Callable[[object], bool], str]] = {
    **dict.fromkeys(("timeout", "retry_delay", "dependency_timeout", "retention"), (is_duration, DURATION)),
    **dict.fromkeys(("max_lateness", "expected"), (_or_none(is_duration), f"{DURATION}, or None")),
    **dict.fromkeys(("connections", "business_day_offset"), (_is_number, "a whole number")),
    **dict.fromkeys(("sensitive", "enabled"), (_of(bool), "True or False")),
    **dict.fromkeys(("requires", "after", "aliases"), (_are_names, NAMES)),
    "retries": (_or_none(_is_number), "a whole number, or None for the priority's own"),
    "overlap": (_of(StrEnum), "Overlap.SKIP, Overlap.QUEUE or Overlap.ALLOW"),
    "priority": (_of(Priority), "a Priority, such as Priority.HIGH"),
    "catch_up": (_of(CatchUp), "CatchUp.NONE, CatchUp.LATEST or CatchUp.EACH(31)"),
    "dry_run": (_or_none(callable), "a coroutine function"),
}


def refuse(options: Mapping[str, object]) -> None:
    """Raises `TypeError` for an option that there is not, or whose value is of another kind, with what to write."""
    for name, value in options.items():
        if name not in RULES:
            raise TypeError(f"there is no option {name!r}{did_you_mean(name, RULES)}")
        holds, wanted = RULES[name]
        if not holds(value):
            raise TypeError(f"{name} = {value!r}: write {wanted}")
