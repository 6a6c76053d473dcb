"""What the tests of this suite ask for by name."""

from __future__ import annotations

import asyncpg
import pytest

from tests.workers.productivity.house import House
from tests.workers.productivity.platform import Platform


@pytest.fixture
async def house(url: str, connection: asyncpg.Connection) -> House:
    return House(url, connection)


@pytest.fixture
async def platform(url: str, connection: asyncpg.Connection) -> Platform:
    return Platform(url, connection)
