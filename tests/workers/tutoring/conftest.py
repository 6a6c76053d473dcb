"""What the tests of this suite ask for by name."""

from __future__ import annotations

import asyncpg
import pytest

from tests.workers.tutoring.providers import Providers
from tests.workers.tutoring.school import School


@pytest.fixture
async def providers(url: str, connection: asyncpg.Connection) -> Providers:
    return Providers(School(url, connection))
