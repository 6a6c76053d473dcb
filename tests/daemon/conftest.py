"""What tests of the engine may ask for by name."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest


@pytest.fixture
async def heard(url: str) -> AsyncIterator[list[str]]:
    """What the nodes are told."""
    listener = await asyncpg.connect(url)
    said: list[str] = []
    await listener.add_listener("sexton", lambda *a: said.append(str(a[-1])))
    yield said
    await listener.close()
