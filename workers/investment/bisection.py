"""A range of investments in one statement, and still a bad one costs only itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import asyncpg

from daemon import Transaction

Attempt = Callable[[int, int], Awaitable[int]]
Refused = list[tuple[int, str]]


class TooManyRefused(Exception):
    """More than single rows are refused: something else is wrong. `refused` are those found so far."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(f"{len(refused)} were refused, the last, {refused[-1][0]}, by {refused[-1][1]}")
        self.refused = refused


async def bisected(
    tx: Transaction, above: int, stop: int, attempt: Attempt, *, most: int | None = None
) -> tuple[int, Refused]:
    """Attempt the ids above `above` up to `stop`; if the data is refused, halves of them, until each culprit is alone.

    Returns the sum of what the attempts returned, and (id, reason) of the culprits in order. Only SQLSTATE classes 22
    and 23 are a row's doing, everything else is raised. Raises `TooManyRefused` at the first culprit after
    `most`: to find a hundred thousand of them one by one would take hours.
    """
    done = 0
    refused: Refused = []
    todo = [(above, stop)]
    while todo:
        low, high = todo.pop()
        try:
            async with tx.savepoint():
                done += await attempt(low, high)
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
            if high - low > 1:
                middle = (low + high) // 2
                todo += [(middle, high), (low, middle)]
                continue
            refused.append((high, f"{type(error).__name__}: {error.args[0]}"))
            if most is not None and len(refused) > most:
                raise TooManyRefused(refused) from error
    return done, refused
