"""What the tests of this suite ask for by name."""

from __future__ import annotations

import asyncpg
import pytest

from tests.workers.productivity.house import House


@pytest.fixture
async def house(url: str, connection: asyncpg.Connection) -> House:
    return House(url, connection)
