"""A house that is open for the whole of a test, kept by one task: its task groups must end where they began."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.daemon.admin.house import House, house


@pytest.fixture
async def open_house(url: str) -> AsyncIterator[House]:
    opened: asyncio.Future[House] = asyncio.get_running_loop().create_future()
    over = asyncio.Event()

    async def keep() -> None:
        async with house(url) as made:
            opened.set_result(made)
            await over.wait()

    keeping = asyncio.create_task(keep())
    await asyncio.wait({keeping, opened}, return_when=asyncio.FIRST_COMPLETED)
    if keeping.done():
        await keeping
    yield await opened
    over.set()
    await keeping
