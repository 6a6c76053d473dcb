"""How a rating ended: charges and records of them, or the reason why the flight cannot be rated."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from workers.flights.flight import Zone

ZERO = Decimal("0.00")


class Kind(StrEnum):
    ENROUTE = "ENROUTE"
    TERMINAL = "TERMINAL"


class Outcome(StrEnum):
    CHARGED = "CHARGED"
    EXEMPT = "EXEMPT"
    UNCHARGED = "UNCHARGED"


class Reason(StrEnum):
    """Why a flight cannot be rated. It waits for a person, and is never billed at zero meanwhile."""

    FLIGHT_UNKNOWN = "no such flight"
    NO_AIRCRAFT = "no aircraft"
    NO_MTOW = "no maximum take-off weight"
    NO_ZONE_GEOMETRY = "no zone geometry"
    NO_UNIT_RATE = "no unit rate"
    UNKNOWN_AERODROME = "unknown aerodrome"
    TOO_FEW_POSITIONS = "too few positions"
    BROKEN_TRACK = "broken track"
    POSITIONS_REFUSED = "positions refused"
    POSITIONS_UNAVAILABLE = "positions unavailable"
    DATABASE_UNAVAILABLE = "database unavailable"


class Exemption(StrEnum):
    """Flights the tariff lets pass, Reg. (EU) 2019/317 article 31(3) to (5)."""

    BELOW_TWO_TONNES = "below 2.0 t"
    VFR = "visual flight rules throughout"
    STATE = "state flight"
    SAR = "search and rescue"


OUTSIDE_CHARGED_AIRSPACE = "outside charged airspace"
NO_CHARGEABLE_DISTANCE = "no chargeable distance"
UNIT_RATE_OF_ZERO = "unit rate of zero"
UNDER_HALF_A_CENT = "charges under half a cent"


@dataclass(frozen=True, slots=True)
class Fix:
    """A place on the track: Unix seconds (interpolated at a crossing), degrees north, degrees east."""

    at: float
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """One line of a record. En-route lines carry their segment; terminal lines leave it None.

    `gcd_km` is the great-circle distance entry to exit before `deduction_km`.
    """

    zone: Zone
    kind: Kind
    weight_factor: Decimal
    service_units: Decimal
    unit_rate: Decimal
    currency: str
    amount: Decimal
    entry: Fix | None = None
    exit: Fix | None = None
    gcd_km: Decimal | None = None
    deduction_km: int | None = None
    distance_factor: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """All charges of one flight in one currency. `reason` says why one without an amount has none."""

    currency: str
    outcome: Outcome
    reason: str | None = None
    charges: tuple[Charge, ...] = ()

    def total(self, kind: Kind) -> Decimal:
        return sum((c.amount for c in self.charges if c.kind is kind), ZERO)

    @property
    def subtotal(self) -> Decimal:
        return sum((c.amount for c in self.charges), ZERO)

    def digest(self, calc_version: int) -> bytes:
        """Equal for two ratings that charge the same, so that repeating one supersedes nothing. 32 bytes.

        Where exactly a border was crossed is left out: another library's last digit is no new bill.
        """
        lines = [
            f"{c.zone.code} {c.kind} {c.distance_factor} {c.weight_factor} {c.unit_rate} {c.amount}"
            for c in self.charges
        ]
        said = "\n".join([f"{calc_version} {self.currency} {self.outcome} {self.reason}", *lines])
        return hashlib.sha256(said.encode()).digest()


@dataclass(frozen=True, slots=True)
class Rated:
    """A finished rating: a record per currency, and what a biller should know about the track."""

    records: tuple[Record, ...]
    flags: tuple[str, ...] = ()

    @property
    def charges(self) -> tuple[Charge, ...]:
        return tuple(charge for record in self.records for charge in record.charges)


@dataclass(frozen=True, slots=True)
class Unratable:
    """A rating that could not be made."""

    reason: Reason
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}" if self.detail else str(self.reason)


@dataclass(frozen=True, slots=True)
class Segment:
    """A contiguous stay in one charging zone; None is airspace nobody charges for."""

    zone: Zone | None
    entry: Fix
    exit: Fix
