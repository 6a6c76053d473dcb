"""The charging formulas, in Decimal: rounded half up, once each, exactly where the regulation says.

Sources: Reg. (EU) 2019/317 Annex VIII; Reg. (EC) 1794/2006 Annex V; UK SI 1997/2920 reg. 6.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from workers.flights.charge import Exemption
from workers.flights.flight import Flight

EXEMPT_BELOW_T = Decimal("2.0")
AERODROME_DEDUCTION_KM = 20
REFERENCE_T = Decimal(50)


def half_up(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def distance_factor(gcd_km: float, aerodromes: int) -> Decimal:
    """Hundreds of km, two places (2019/317 Annex VIII 1.2; two places: SI 1997/2920 reg. 6(3)(a)).

    20 km less for each take-off from and each landing in the zone, never below zero.
    """
    km = Decimal(gcd_km) - AERODROME_DEDUCTION_KM * aerodromes
    return half_up(max(km, Decimal(0)) / 100, 2)


@lru_cache(maxsize=1024)
def weight_factor(mtow_t: Decimal) -> Decimal:
    """√(MTOW/50), two places, of the MTOW in tonnes to one place (2019/317 Annex VIII 1.3)."""
    return half_up((half_up(mtow_t, 1) / REFERENCE_T).sqrt(), 2)


@lru_cache(maxsize=1024)
def terminal_service_units(mtow_t: Decimal, exponent: Decimal) -> Decimal:
    """(MTOW/50)^exponent, two places (1794/2006 Annex V; the exponent is the rate card's, 0.7 as a rule)."""
    return half_up((mtow_t / REFERENCE_T) ** exponent, 2)


def enroute_amount(distance: Decimal, weight: Decimal, unit_rate: Decimal) -> Decimal:
    """Service units (distance factor × weight factor, 1.1) × unit rate, to the cent."""
    return half_up(distance * weight * unit_rate, 2)


def terminal_amount(service_units: Decimal, unit_rate: Decimal) -> Decimal:
    return half_up(service_units * unit_rate, 2)


def exempt_by_status(flight: Flight) -> Exemption | None:
    """Exempt whatever it weighs (2019/317 art. 31(3) to (5)). Rules Y and Z fly partly under IFR and pay."""
    if flight.special_handling is not None:
        return Exemption[flight.special_handling]
    return Exemption.VFR if flight.flight_rules == "V" else None


def exempt_by_weight(mtow_t: Decimal) -> Exemption | None:
    """Strictly under 2 t, on the unrounded weight: 1.99 t is exempt although it rounds to 2.0."""
    return Exemption.BELOW_TWO_TONNES if mtow_t < EXEMPT_BELOW_T else None
