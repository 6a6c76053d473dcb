"""Where tracks come from: the interface of a position source, and how one says no."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from workers.flights.flight import Flight, Position

if TYPE_CHECKING:
    from workers.flights.settings import Settings

LIMIT = 100_000
"""More positions than any flight has. An answer of that many rows was cut off, and is refused."""

MARGIN_S = 600
"""Positions count from 10 min before off-block to 10 min after arrival: both times are often rounded."""


class PositionsUnavailableError(Exception):
    """The source cannot answer now; trying again later may help, after `retry_after_s` if it said so."""

    def __init__(self, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class PositionsRefusedError(Exception):
    """The source answered what cannot be used; the same question will get the same answer."""


class PositionSource(Protocol):
    async def track(self, flight: Flight) -> Sequence[Position]:
        """Its positions in order of time, none if there are none.

        Raises `PositionsUnavailableError` (transient) or `PositionsRefusedError` (permanent).
        """
        ...

    async def aclose(self) -> None: ...


def source_for(settings: Settings) -> PositionSource:
    """The source that the settings name. Imports only that one."""
    if settings.positions == "pinot":
        from workers.flights.positions_pinot import PinotPositions

        return PinotPositions(settings)
    from workers.flights.positions_postgres import PostgresPositions

    return PostgresPositions()
