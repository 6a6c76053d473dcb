"""What a suite says about the questions it answers over HTTP, beside the engine's own API: routes that read.

What changes something is a job, run over the API with arguments: audited, fenced, and retried like any other.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol

if TYPE_CHECKING:
    from daemon.transaction import Reader

P = ParamSpec("P")
ROLES = ("viewer", "operator", "admin")
PATH = re.compile(r"(/([a-z0-9_-]+|\{[a-z_]+\}))+")


class NotFound(LookupError):
    """Raised by a route's function for what is not there: 404 with this sentence."""


class Question(Protocol):
    """What a route's function gets: who asks, and the suite's tables to read."""

    @property
    def caller(self) -> str: ...
    @property
    def settings(self) -> Any:
        """The suite's own settings."""
        ...

    def now(self) -> datetime:
        """The database's clock, UTC."""
        ...

    def snapshot(self) -> AbstractAsyncContextManager[Reader]:
        """REPEATABLE READ, READ ONLY, on the suite's schema. Statements of more than five seconds are ended."""
        ...


Answers = Callable[..., Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Route:
    """GET /api/v1<path>, for whoever has the role. `answer` is the decorated function."""

    path: str
    role: str
    answer: Answers = field(repr=False)

    def __post_init__(self) -> None:
        if not PATH.fullmatch(self.path):
            raise ValueError(f"@route({self.path!r}): write a path such as /teas or /teas/{{name}}")
        if self.role not in ROLES:
            raise ValueError(f"@route({self.path!r}, role={self.role!r}): choose viewer, operator or admin")


def route(
    path: str, *, role: str = "viewer"
) -> Callable[[Callable[Concatenate[Question, P], Awaitable[object]]], Route]:
    """Declare the decorated coroutine function, in the suite's `routes.py`, as the answer to GET /api/v1<path>.

    Its first parameter is the `Question`; the others are those of the path and the query, by name, with their types
    and defaults. What it returns becomes JSON as a job's result does. `NotFound` is 404, `ValueError` 422.
    """
    return lambda answer: Route(path, role, answer)
