"""Load the sample data: charging zones and rates, operators and aircraft, and real flights to bill."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daemon import sql
from workers.flights import sample_fleet as fleet
from workers.flights.sample import Sample, SampleFlight, fetch
from workers.flights.sample_zones import AERODROMES, ZONE_OF_FIR, ZONES

if TYPE_CHECKING:
    import asyncpg

(
    ADD_ZONES, ADD_FIRS, ADD_RATES, ADD_AERODROMES, ADD_CUSTOMERS, ADD_CYCLES, ADD_AIRCRAFT, ADD_FLIGHTS,
    ENQUEUE,
) = sql.load(
    __file__, "add_zones", "add_firs", "add_rates", "add_aerodromes", "add_customers", "add_cycles",
    "add_aircraft", "add_flights", "enqueue",
)  # fmt: skip

Progress = Callable[[str, int, int], None]

RATES_FROM, RATES_UNTIL = date(2018, 1, 1), date(2021, 1, 1)
MOST_DAYS_LATER = 400
"""Repeated days stay within the sample rates: the latest sample flight is of November 2019."""

FLIGHTS_AT_ONCE = 100
POSITION_COLUMNS = ("flight_id", "at", "latitude", "longitude", "altitude_ft")


async def seed(
    connection: asyncpg.Connection[Any], *, scale: float, cache: Path, progress: Progress
) -> Mapping[str, int]:
    """Load what is missing and say how many rows were new.

    `scale` 1 is the sample's own day and its two featured flights; N repeats them on N days, a fraction takes
    the first of them. A flight enters the queue when it is first loaded and never again. Raises `SampleError`
    without the sample data. `scale` is above zero.
    """
    progress("sample", 0, 1)
    firs, flights = await asyncio.to_thread(read_sample, cache)
    progress("sample", 1, 1)
    async with connection.transaction():
        counts = await seed_reference(connection, firs) | await seed_operators(connection, flights)
    counts |= {"flights": 0, "positions": 0}
    total = max(1, round(scale * len(flights)))
    for day in range(math.ceil(total / len(flights))):
        todays = flights[: total - day * len(flights)]
        progress("flights", day * len(flights), total)
        async with connection.transaction():
            new = await seed_day(connection, todays, day)
        counts["flights"] += new[0]
        counts["positions"] += new[1]
    progress("flights", total, total)
    return counts


def read_sample(cache: Path) -> tuple[list[Mapping[str, Any]], list[SampleFlight]]:
    """The FIR features, and all flights with the featured ones first, so that any fraction has them."""
    sample = Sample(fetch(cache))
    return sample.firs(), [*sample.featured(), *sample.swiss()]


async def seed_reference(connection: asyncpg.Connection[Any], firs: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Charging zones, the FIRs of each, aerodromes, and rates of both kinds."""
    zones = await execute(connection, ADD_ZONES, [z.code for z in ZONES], [z.name for z in ZONES])
    idents = [f["properties"]["IDENT"] for f in firs]
    names = [f["properties"]["NAME"] for f in firs]
    geometries = [json.dumps(f["geometry"]) for f in firs]
    source = "EUROCONTROL via traffic 2.13, AIRAC 2015-04-30"
    codes = [ZONE_OF_FIR[ident] for ident in idents]
    added_firs = await execute(connection, ADD_FIRS, idents, names, codes, geometries, source)
    rates = [
        (z.code, "ENROUTE", Decimal(z.enroute), z.currency, None, None, z.source) for z in ZONES
    ] + [
        (z.code, "TERMINAL", Decimal(z.terminal), z.currency, Decimal("0.7"), z.charged_on, "sample")
        for z in ZONES
    ]  # fmt: skip
    added_rates = await execute(connection, ADD_RATES, *columns(rates), RATES_FROM, RATES_UNTIL)
    aerodromes = await execute(connection, ADD_AERODROMES, *columns(AERODROMES))
    return {"zones": zones, "firs": added_firs, "rates": added_rates, "aerodromes": aerodromes}


async def seed_operators(connection: asyncpg.Connection[Any], flights: Sequence[SampleFlight]) -> dict[str, int]:
    """A customer per callsign prefix, with its cycle, and an aircraft per transponder address."""
    codes = sorted({fleet.operator_code(flight.callsign) for flight in flights})
    operators = [fleet.operator(code) for code in codes]
    terms = [(o.code, o.name, o.tz, o.currency, Decimal(o.tax_rate), Decimal(o.min_invoice_amount)) for o in operators]
    customers = await execute(connection, ADD_CUSTOMERS, *columns(terms), fleet.CONTRACT_START)
    await execute(connection, ADD_CYCLES, codes, [o.week_end for o in operators])
    owners = {f.icao24: fleet.operator_code(f.callsign) for f in flights}
    types = [fleet.aircraft(icao24, owner) for icao24, owner in owners.items()]
    aircraft = await execute(
        connection, ADD_AIRCRAFT, list(owners), list(owners.values()), [t.type for t in types],
        [Decimal(t.mtow_t) for t in types],
    )  # fmt: skip
    return {"customers": customers, "aircraft": aircraft}


async def seed_day(connection: asyncpg.Connection[Any], flights: Sequence[SampleFlight], day: int) -> tuple[int, int]:
    """One day's flights with positions and queue rows, all or nothing. Returns how many were new of each."""
    later = timedelta(days=day % MOST_DAYS_LATER)
    rows = [
        (
            f"{f.ref}#{day}", fleet.operator_code(f.callsign), f.icao24, f.callsign, f.departure, f.arrival,
            instant(f.points[0].at) + later, instant(f.points[-1].at) + later,
        )
        for f in flights
    ]  # fmt: skip
    added = await connection.fetch(ADD_FLIGHTS.text, *columns(rows))
    by_ref = {f"{f.ref}#{day}": f for f in flights}
    positions = 0
    for start in range(0, len(added), FLIGHTS_AT_ONCE):
        records = [
            (row["id"], instant(p.at) + later, p.latitude, p.longitude, p.altitude_ft)
            for row in added[start : start + FLIGHTS_AT_ONCE]
            for p in by_ref[row["external_ref"]].points
        ]
        await connection.copy_records_to_table(
            "flight_position", schema_name="flights", columns=POSITION_COLUMNS, records=records
        )
        positions += len(records)
    await execute(connection, ENQUEUE, [row["id"] for row in added])
    return len(added), positions


def instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def columns(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Rows as one array per column, which is how a statement takes a set of them."""
    return [list(column) for column in zip(*rows, strict=True)]


async def execute(connection: asyncpg.Connection[Any], statement: sql.Statement, *args: object) -> int:
    """Run it and return how many rows it added."""
    return int((await connection.execute(statement.text, *args)).rpartition(" ")[2])
