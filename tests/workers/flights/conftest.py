"""The sample wheel, downloaded once for all xdist workers, and what is read from it."""

from __future__ import annotations

import fcntl
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from datetime import date
from pathlib import Path

import asyncpg
import pytest

from tests.databases import Databases, create
from tests.workers.flights import plain_python
from tests.workers.flights.billing import CLEAR, Billing
from tests.workers.flights.builders import rate_card
from tests.workers.flights.seeded import SEEDED, Seeded
from workers.flights.flight import Zone
from workers.flights.rates import RateCard
from workers.flights.sample import Sample, SampleFlight, default_cache, fetch
from workers.flights.sample_zones import ZONE_OF_FIR, ZONES
from workers.flights.seed import seed
from workers.flights.zones import Fir, Zones


@pytest.fixture(scope="session")
def wheel() -> Path:
    cache = default_cache()
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "download.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return fetch(cache)


@pytest.fixture(scope="session")
def sample(wheel: Path) -> Sample:
    return Sample(wheel)


@pytest.fixture(scope="session")
def european_zones(sample: Sample) -> Zones:
    codes = {zone.code: Zone(i, zone.code) for i, zone in enumerate(ZONES, 1)}
    return Zones(
        Fir(f["properties"]["IDENT"], codes[ZONE_OF_FIR[f["properties"]["IDENT"]]], f["geometry"])
        for f in sample.firs()
    )


@pytest.fixture(scope="session")
def european_rates() -> RateCard:
    return rate_card(
        *[(z.code, "ENROUTE", z.enroute, z.currency) for z in ZONES],
        *[(z.code, "TERMINAL", z.terminal, z.currency) for z in ZONES],
        since=date(2018, 1, 1),
        until=date(2025, 1, 1),
    )


@pytest.fixture(scope="session")
def swiss(sample: Sample) -> Sequence[SampleFlight]:
    return sample.swiss()


@pytest.fixture(scope="session")
def plain_regions(sample: Sample) -> list[plain_python.Region]:
    return plain_python.regions(sample.firs(), ZONE_OF_FIR)


@pytest.fixture(scope="session")
async def billing_url(server: str, template: str) -> str:
    """One database for all tests that bill and leave the schema as it is: clearing it is cheaper than another."""
    return await create(server, "billing", template)


@pytest.fixture
async def billing(billing_url: str) -> AsyncIterator[Billing]:
    connection = await asyncpg.connect(billing_url)
    await connection.execute(CLEAR)
    yield Billing(billing_url, connection)
    await connection.close()


@pytest.fixture(scope="session")
async def seeded_databases(server: str, template: str, wheel: Path) -> Databases:
    """With the featured flights and the first Swiss ones, queued; and what it takes to rate them."""
    connection = await asyncpg.connect(await create(server, "template_flights", template))
    await seed(connection, scale=SEEDED, cache=wheel.parent, progress=lambda *_: None)
    await connection.close()
    return Databases(server, "template_flights")


@pytest.fixture
async def seeded(seeded_databases: Databases) -> AsyncIterator[Seeded]:
    async with AsyncExitStack() as stack:
        yield Seeded(seeded_databases, stack)
