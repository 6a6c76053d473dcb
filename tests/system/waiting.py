"""Waits that end with what they wait for, or with words about what did not come."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import asyncpg

T = TypeVar("T")
PATIENCE = 45.0
LOOK_EVERY = 0.02


async def until(question: Callable[[], Awaitable[T]], what: str, seconds: float = PATIENCE) -> T:
    """The first answer that is true."""
    deadline = time.monotonic() + seconds
    while True:
        answer = await question()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}; the last answer was {answer!r}"
        await asyncio.sleep(LOOK_EVERY)


async def row(connection: asyncpg.Connection, query: str, *args: object, seconds: float = PATIENCE) -> Any:
    """The first value of the first row of a query whose value is true."""
    return await until(lambda: connection.fetchval(query, *args), query, seconds)
