"""What the tests of this suite ask for by name."""

from __future__ import annotations

import asyncpg
import pytest

from tests.workers.jewellery.shop import Shop


@pytest.fixture
async def empty_shop(url: str, connection: asyncpg.Connection) -> Shop:
    return Shop(url, connection)


@pytest.fixture
async def shop(empty_shop: Shop) -> Shop:
    """One customer, one product of which there are ten."""
    await empty_shop.customer()
    await empty_shop.product()
    return empty_shop
