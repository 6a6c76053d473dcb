"""What a worker process does for one flight: fetch its track, rate it, send plain values home.

The supervisor imports this module only to name `rate_flight`; geometry is imported when it runs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from workers.flights import worker_database
from workers.flights.charge import Reason, Unratable
from workers.flights.flight import Flight, Position
from workers.flights.positions import PositionsRefusedError, PositionsUnavailableError, source_for
from workers.flights.report import Report
from workers.flights.settings import Settings

if TYPE_CHECKING:
    from workers.flights.positions import PositionSource

CALC_VERSION = 1
"""Of the whole calculation. Raise it when the same flight would be charged differently."""

_source: tuple[Settings, PositionSource] | None = None


async def rate_flight(flight_id: int, settings: Settings) -> Report:
    """Rate one flight. What cannot be rated is an outcome; only what nobody foresaw raises."""
    try:
        return await rated(flight_id, settings)
    except worker_database.DatabaseUnavailableError as error:
        return unrated(flight_id, Unratable(Reason.DATABASE_UNAVAILABLE, str(error)), transient=True)


async def rated(flight_id: int, settings: Settings) -> Report:
    """As `rate_flight`; raises `DatabaseUnavailableError`."""
    from workers.flights import reference  # shapely and numpy: worker processes only
    from workers.flights.rating import rate
    from workers.flights.zones import ZoneGeometryError

    started = time.perf_counter()
    row = await reference.flight_row(flight_id)
    if row is None:
        return unrated(flight_id, Unratable(Reason.FLIGHT_UNKNOWN, str(flight_id)))
    flight = reference.flight_of(row)
    try:
        zones, rates = await reference.reference(row)
    except ZoneGeometryError as error:  # holds up every flight, so that none is to blame
        return unrated(flight_id, Unratable(Reason.NO_ZONE_GEOMETRY, str(error)), transient=True)
    points = await positions(flight, settings)
    fetch_ms = (time.perf_counter() - started) * 1000
    if isinstance(points, Report):
        return replace(points, fetch_ms=fetch_ms)
    cpu = time.process_time()
    outcome = rate(flight, points, zones, rates)
    return Report(
        flight_id=flight_id,
        outcome=outcome,
        customer_id=flight.customer_id,
        service_on=flight.service_on,
        worker_pid=os.getpid(),
        points=len(points),
        fetch_ms=fetch_ms,
        cpu_ms=(time.process_time() - cpu) * 1000,
    )


def unrated(flight_id: int, why: Unratable, *, transient: bool = False, retry_after_s: float | None = None) -> Report:
    """The report of a flight that rating was never reached for."""
    return Report(
        flight_id=flight_id, outcome=why, transient=transient, retry_after_s=retry_after_s, worker_pid=os.getpid()
    )


async def positions(flight: Flight, settings: Settings) -> Sequence[Position] | Report:
    try:
        return await (await source(settings)).track(flight)
    except PositionsUnavailableError as error:
        why = Unratable(Reason.POSITIONS_UNAVAILABLE, str(error))
        return unrated(flight.id, why, transient=True, retry_after_s=error.retry_after_s)
    except PositionsRefusedError as error:
        return unrated(flight.id, Unratable(Reason.POSITIONS_REFUSED, str(error)))


async def source(settings: Settings) -> PositionSource:
    """This process's source, made once, and again when an operator has changed the settings."""
    global _source  # noqa: PLW0603 - it holds connections worth keeping
    if _source is None or _source[0] != settings:
        if _source is not None:
            await _source[1].aclose()
        _source = settings, source_for(settings)
    return _source[1]
