"""What the tariff knows of a flight: who flew what, between which aerodromes, and where it was when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple


class Position(NamedTuple):
    """One report of a track: Unix seconds (UTC), degrees north, degrees east."""

    at: float
    latitude: float
    longitude: float


class Zone(NamedTuple):
    """A charging zone: its key in the database and its code, such as `ED`."""

    id: int
    code: str


@dataclass(frozen=True, slots=True)
class Aerodrome:
    """A location indicator and its reference point in degrees; None where the point is not known here."""

    icao: str
    latitude: float | None
    longitude: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """A flight to be rated.

    `departure` and `arrival` are None for a flight that left or entered the charged airspace in the air.
    `registration` is None without a known, valid aircraft; `mtow_t` is tonnes, None while undeclared.
    """

    id: int
    customer_id: int
    callsign: str
    icao24: str | None
    off_block_at: datetime
    arrived_at: datetime
    service_on: date
    registration: str | None
    mtow_t: Decimal | None
    home_currency: str
    departure: Aerodrome | None = None
    arrival: Aerodrome | None = None
    flight_rules: str = "I"
    special_handling: str | None = None
