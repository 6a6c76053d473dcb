"""What a worker process knows by heart: zones and unit rates, loaded again only when they have changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from daemon import sql
from workers.flights import worker_database
from workers.flights.charge import Kind
from workers.flights.flight import Aerodrome, Flight, Zone
from workers.flights.rates import RateCard, UnitRate
from workers.flights.zones import Fir, Zones

FLIGHT, FIRS, UNIT_RATES = sql.load(__file__, "flight", "firs", "unit_rates")

_zones: tuple[int, Zones] | None = None
_rates: tuple[int, RateCard] | None = None


async def reference(row: Mapping[str, Any]) -> tuple[Zones, RateCard]:
    """Zones and rates, at least as new as the versions in a row of `flight`.

    The version is read before the data, so a change between the two is only loaded twice, never missed.
    """
    global _zones, _rates  # noqa: PLW0603 - kept for the life of the process, which is the point
    if _zones is None or _zones[0] != row["zones_version"]:
        _zones = row["zones_version"], await load_zones()
    if _rates is None or _rates[0] != row["rates_version"]:
        _rates = row["rates_version"], await load_rates()
    return _zones[1], _rates[1]


async def load_zones() -> Zones:
    return Zones(
        Fir(row["ident"], Zone(row["zone_id"], row["zone_code"]), json.loads(row["geometry"]))
        for row in await worker_database.fetch(FIRS)
    )


async def load_rates() -> RateCard:
    rows = await worker_database.fetch(UNIT_RATES)
    return RateCard(UnitRate(**{**row, "kind": Kind(row["kind"])}) for row in rows)


async def flight_row(flight_id: int) -> Mapping[str, Any] | None:
    rows = await worker_database.fetch(FLIGHT, flight_id)
    return cast("Mapping[str, Any]", rows[0]) if rows else None


def flight_of(row: Mapping[str, Any]) -> Flight:
    return Flight(
        id=row["id"],
        customer_id=row["customer_id"],
        callsign=row["callsign"],
        icao24=row["icao24"],
        off_block_at=row["off_block_at"],
        arrived_at=row["arrived_at"],
        service_on=row["service_on"],
        registration=row["reg"],
        mtow_t=row["mtow_t"],
        home_currency=row["home_currency"],
        departure=aerodrome(row, "dep"),
        arrival=aerodrome(row, "arr"),
        flight_rules=row["flight_rules"],
        special_handling=row["special_handling"],
    )


def aerodrome(row: Mapping[str, Any], which: str) -> Aerodrome | None:
    icao = row[f"{which}_icao"]
    return None if icao is None else Aerodrome(icao, row[f"{which}_latitude"], row[f"{which}_longitude"])
