"""Many rows in one statement, and still a bad one costs only itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import asyncpg

from daemon import Transaction

T = TypeVar("T")
R = TypeVar("R")

SHARED = frozenset({"invoice_series"})
"""What these tables refuse is nobody's row: a series at its end stops everyone."""


async def isolated(
    tx: Transaction, rows: Sequence[T], attempt: Callable[[Sequence[T]], Awaitable[R]]
) -> tuple[list[R], list[tuple[T, str]]]:
    """Attempt all rows at once; if the data is refused, halves of them, until each culprit stands alone.

    Returns what the attempts returned, and the culprits with their reasons; order is kept. Only SQLSTATE classes
    22 and 23 are a row's doing, everything else is raised.
    """
    done: list[R] = []
    refused: list[tuple[T, str]] = []
    todo = [rows] if rows else []
    while todo:
        part = todo.pop()
        try:
            async with tx.savepoint():
                done.append(await attempt(part))
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
            if error.table_name in SHARED:
                raise
            if len(part) == 1:
                refused.append((part[0], f"{type(error).__name__}: {error.args[0]}"))
            else:
                half = len(part) // 2
                todo += [part[half:], part[:half]]
    return done, refused
