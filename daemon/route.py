"""What a suite says about the questions it answers over HTTP, beside the engine's API: routes that read, or take in.

What changes something on a person's word is a job, run over the API with arguments: audited, fenced, and retried like
any other. A route of POST is for what programs ask with a body, or report many times a second.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol

if TYPE_CHECKING:
    from daemon.transaction import Reader

P = ParamSpec("P")
ROLES = ("viewer", "operator", "admin")
METHODS = ("GET", "POST")
PATH = re.compile(r"(/([a-z0-9_-]+|\{[a-z_]+\}))+")


class NotFound(LookupError):
    """Raised by a route's function for what is not there: 404 with this sentence."""


class Unavailable(Exception):
    """Raised by a route's function for what cannot be had now: 503 with this sentence, and when to ask again."""

    def __init__(self, sentence: str, again_in: timedelta | None = None) -> None:
        super().__init__(sentence)
        self.again_in = again_in


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

    def transaction(self) -> AbstractAsyncContextManager[Reader]:
        """One that may write, on the suite's schema; for routes of POST only. It is no run: nothing fences or retries
        it, so the caller may send the same again, and what it writes has to bear that."""
        ...


Answers = Callable[..., Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Route:
    """METHOD /api/v1<path>, for whoever has the role. `answer` is the decorated function."""

    path: str
    role: str
    answer: Answers = field(repr=False)
    method: str = "GET"

    def __post_init__(self) -> None:
        if not PATH.fullmatch(self.path):
            raise ValueError(f"@route({self.path!r}): write a path such as /teas or /teas/{{name}}")
        if self.role not in ROLES:
            raise ValueError(f"@route({self.path!r}, role={self.role!r}): choose viewer, operator or admin")
        if self.method not in METHODS:
            raise ValueError(f"@route({self.path!r}, method={self.method!r}): choose GET or POST")


def route(
    path: str, *, role: str = "viewer", method: str = "GET"
) -> Callable[[Callable[Concatenate[Question, P], Awaitable[object]]], Route]:
    """Declare the decorated coroutine function, in the suite's `routes.py`, as the answer to METHOD /api/v1<path>.

    Its first parameter is the `Question`; the others are those of the path and the query, by name, with their types
    and defaults. What it returns becomes JSON as a job's result does. `NotFound` is 404, `ValueError` 422,
    `Unavailable` 503. A parameter whose type is a pydantic model is the body of a POST.
    """
    return lambda answer: Route(path, role, answer, method)
