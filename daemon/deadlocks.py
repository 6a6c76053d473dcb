"""Deadlocks with an application's own code are everyday: one side's transaction is undone, and may be repeated."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar, TypeVarTuple

Args = TypeVarTuple("Args")
T = TypeVar("T")
MOST_FORGIVEN = 5


async def forgiving_deadlocks(step: Callable[[*Args], Awaitable[T]], *args: *Args) -> T:
    """Await a step that is one transaction. It is repeated after a deadlock or a failed serialization, and the sixth
    is raised: asyncpg's `TransactionRollbackError`."""
    from asyncpg import TransactionRollbackError  # not with the vocabulary: worker processes know no database

    for _ in range(MOST_FORGIVEN):
        with suppress(TransactionRollbackError):
            return await step(*args)
    return await step(*args)
