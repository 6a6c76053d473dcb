"""A range of investments in one statement, and still a bad one costs only itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import asyncpg

from daemon import Transaction

Attempt = Callable[[int, int], Awaitable[int]]


async def bisected(tx: Transaction, above: int, stop: int, attempt: Attempt) -> tuple[int, list[tuple[int, str]]]:
    """Attempt the ids above `above` up to `stop`; if the data is refused, halves of them, until each culprit is alone.

    Returns the sum of what the attempts returned, and (id, reason) of the culprits in order. Only SQLSTATE classes 22
    and 23 are a row's doing, everything else is raised.
    """
    done = 0
    refused: list[tuple[int, str]] = []
    todo = [(above, stop)]
    while todo:
        low, high = todo.pop()
        try:
            async with tx.savepoint():
                done += await attempt(low, high)
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
            if high - low == 1:
                refused.append((high, f"{type(error).__name__}: {error.args[0]}"))
            else:
                middle = (low + high) // 2
                todo += [(middle, high), (low, middle)]
    return done, refused
