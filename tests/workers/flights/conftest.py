"""The sample wheel, downloaded once for all xdist workers, and what is read from it."""

from __future__ import annotations

import fcntl
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import asyncpg
import pytest

from tests.workers.flights import plain_python
from tests.workers.flights.billing import Billing
from tests.workers.flights.builders import rate_card
from workers.flights.flight import Zone
from workers.flights.rates import RateCard
from workers.flights.sample import Sample, SampleFlight, default_cache, fetch
from workers.flights.sample_zones import ZONE_OF_FIR, ZONES
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


@pytest.fixture
def billing(url: str, connection: asyncpg.Connection) -> Billing:
    return Billing(url, connection)
