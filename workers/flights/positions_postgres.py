"""Positions from `flights.flight_position`, the embedded default. Worker processes only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from daemon import sql
from workers.flights import worker_database
from workers.flights.flight import Flight, Position
from workers.flights.positions import LIMIT, MARGIN_S, PositionsRefusedError

(TRACK,) = sql.load(__file__, "track")


class PostgresPositions:
    """A `PositionSource` over the worker's read-only connection, whose losses are the worker's affair."""

    async def track(self, flight: Flight) -> Sequence[Position]:
        margin = timedelta(seconds=MARGIN_S)
        since, until = flight.off_block_at - margin, flight.arrived_at + margin
        rows = await worker_database.fetch(TRACK, flight.id, since, until, LIMIT)
        if len(rows) == LIMIT:
            raise PositionsRefusedError(f"flight_position has {LIMIT} positions or more of flight {flight.id}")
        return [Position(*row) for row in rows]

    async def aclose(self) -> None:
        await worker_database.close()
