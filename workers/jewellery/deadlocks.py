"""Deadlocks with a shop's own code are everyday: one side's transaction is undone, and may simply be tried again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVarTuple

import asyncpg

Args = TypeVarTuple("Args")
MOST = 3


async def forgiving_deadlocks(step: Callable[[*Args], Awaitable[None]], *args: *Args) -> None:
    """Await a step that is one transaction; once more after each of `MOST` deadlocks, and then it raises."""
    for _ in range(MOST):
        with suppress(asyncpg.TransactionRollbackError):
            return await step(*args)
    return await step(*args)
