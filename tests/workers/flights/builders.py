"""Small worlds to rate flights in: square zones, straight tracks, plain rates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from workers.flights.charge import Kind
from workers.flights.flight import Aerodrome, Flight, Position, Zone
from workers.flights.rates import RateCard, UnitRate
from workers.flights.sample import SampleFlight
from workers.flights.sample_zones import AERODROMES
from workers.flights.zones import Fir, Zones

SERVICE_ON = date(2018, 8, 1)
START = datetime(2018, 8, 1, 8, tzinfo=UTC).timestamp()
KNOWN_AERODROMES = {a.icao: Aerodrome(a.icao, a.latitude, a.longitude) for a in AERODROMES}


def box(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def zones(**firs: tuple[str, dict[str, Any]]) -> Zones:
    """FIR ident → (zone code, geometry)."""
    codes = sorted({code for code, _ in firs.values()})
    return Zones(Fir(ident, Zone(codes.index(code) + 1, code), geometry) for ident, (code, geometry) in firs.items())


def track(*places: tuple[float, float], every_s: float = 600.0) -> list[Position]:
    """(latitude, longitude) in order, one every ten minutes."""
    return [Position(START + i * every_s, latitude, longitude) for i, (latitude, longitude) in enumerate(places)]


def line(latitude: float, west: float, east: float, *, points: int = 50, every_s: float = 120.0) -> list[Position]:
    """Eastward along a parallel."""
    step = (east - west) / (points - 1)
    return track(*[(latitude, west + i * step) for i in range(points)], every_s=every_s)


def rate_card(
    *rates: tuple[str, str, str, str], since: date = date(2018, 1, 1), until: date | None = date(2019, 1, 1),
    charged_on: str = "LANDING", exponent: str = "0.7",
) -> RateCard:  # fmt: skip
    """(zone, kind, rate, currency) each."""
    return RateCard(
        UnitRate(
            zone=zone, kind=Kind(kind), rate=Decimal(rate), currency=currency, valid_from=since, valid_until=until,
            exponent=Decimal(exponent) if kind == "TERMINAL" else None,
            charged_on=charged_on if kind == "TERMINAL" else None,
        )
        for zone, kind, rate, currency in rates
    )  # fmt: skip


def flight(**changes: Any) -> Flight:
    facts: dict[str, Any] = {
        "id": 1, "customer_id": 7, "callsign": "TST1", "icao24": "3003ae", "service_on": SERVICE_ON,
        "off_block_at": datetime.fromtimestamp(START, UTC), "arrived_at": datetime.fromtimestamp(START + 7200, UTC),
        "registration": "D-TEST", "mtow_t": Decimal("50.0"), "home_currency": "EUR",
    }  # fmt: skip
    return Flight(**{**facts, **changes})


def sample_flight(found: SampleFlight, mtow_t: str) -> tuple[Flight, list[Position]]:
    """A flown track as rating wants it."""
    began, ended = (datetime.fromtimestamp(found.points[i].at, UTC) for i in (0, -1))
    facts = flight(
        callsign=found.callsign, icao24=found.icao24, off_block_at=began, arrived_at=ended, service_on=began.date(),
        mtow_t=Decimal(mtow_t), departure=KNOWN_AERODROMES.get(found.departure or ""),
        arrival=KNOWN_AERODROMES.get(found.arrival or ""),
    )  # fmt: skip
    return facts, positions(found)


def positions(found: SampleFlight) -> list[Position]:
    return [Position(p.at, p.latitude, p.longitude) for p in found.points]


def codes(charges: Sequence[Any]) -> list[str]:
    return [charge.zone.code for charge in charges]
