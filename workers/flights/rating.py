"""Rate one flight: positions, zones and unit rates in; charge records, or a reason why not, out. Pure.

Runs in worker processes only: it measures with numpy and shapely.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from workers.flights import tariff
from workers.flights.charge import (
    NO_CHARGEABLE_DISTANCE,
    OUTSIDE_CHARGED_AIRSPACE,
    UNDER_HALF_A_CENT,
    UNIT_RATE_OF_ZERO,
    Charge,
    Exemption,
    Fix,
    Kind,
    Outcome,
    Rated,
    Reason,
    Record,
    Segment,
    Unratable,
)
from workers.flights.flight import Aerodrome, Flight, Position, Zone
from workers.flights.geodesy import great_circle_km
from workers.flights.rates import RateCard, UnitRate
from workers.flights.segments import segments
from workers.flights.track import Track, clean
from workers.flights.zones import Zones


def rate(flight: Flight, points: Sequence[Position], zones: Zones, rates: RateCard) -> Rated | Unratable:
    """The flight's records, one per currency.

    An exempt flight, and one that met no charged airspace, has one record without charges in its operator's
    home currency that says so. Anything missing makes it `Unratable`: want of data never bills at zero.
    """
    if exemption := tariff.exempt_by_status(flight):
        return exempt(flight, exemption)
    if flight.registration is None:
        return Unratable(Reason.NO_AIRCRAFT, f"for {flight.callsign} on {flight.service_on}")
    if flight.mtow_t is None:
        return Unratable(Reason.NO_MTOW, f"of aircraft {flight.registration}")
    if exemption := tariff.exempt_by_weight(flight.mtow_t):
        return exempt(flight, exemption)
    if not zones:
        return Unratable(Reason.NO_ZONE_GEOMETRY, "there is no FIR at all")
    for aerodrome in (flight.departure, flight.arrival):
        if aerodrome is not None and aerodrome.latitude is None:
            return Unratable(Reason.UNKNOWN_AERODROME, aerodrome.icao)
    track = clean(points)
    if len(track) < 2:
        return Unratable(Reason.TOO_FEW_POSITIONS, f"{len(track)} usable of {len(points)}")
    if 2 * len(track) < len(points):
        return Unratable(Reason.BROKEN_TRACK, "; ".join(track.flags))
    return charge(flight, flight.mtow_t, track, zones, rates)


def exempt(flight: Flight, exemption: Exemption) -> Rated:
    return Rated((Record(currency=flight.home_currency, outcome=Outcome.EXEMPT, reason=exemption.value),))


def charge(flight: Flight, mtow_t: Decimal, track: Track, zones: Zones, rates: RateCard) -> Rated | Unratable:
    """En-route charges of every stay in a zone, then the terminal charges of departure and arrival."""
    departed_in, arrived_in = zone_of(flight.departure, zones), zone_of(flight.arrival, zones)
    stays = segments(track, zones)
    lines: list[Charge] = []
    missing: set[str] = set()
    for i, stay in enumerate(stays):
        if stay.zone is None:
            continue
        unit_rate = rates.find(stay.zone.code, Kind.ENROUTE, flight.service_on)
        if unit_rate is None:
            missing.add(f"en-route, zone {stay.zone.code}")
            continue
        takes_off = i == 0 and stay.zone == departed_in
        lands = i == len(stays) - 1 and stay.zone == arrived_in
        start = at_aerodrome(stay.entry, flight.departure if takes_off else None)
        end = at_aerodrome(stay.exit, flight.arrival if lands else None)
        lines.append(enroute(Segment(stay.zone, start, end), stay.zone, takes_off + lands, mtow_t, unit_rate))
    for zone, occasion in ((departed_in, "DEPARTURE"), (arrived_in, "LANDING")):
        if zone is None:
            continue
        unit_rate = rates.find(zone.code, Kind.TERMINAL, flight.service_on)
        if unit_rate is None:
            missing.add(f"terminal, zone {zone.code}")
        elif unit_rate.charged_on == occasion:
            lines.append(terminal(zone, mtow_t, unit_rate))
    if missing:
        return Unratable(Reason.NO_UNIT_RATE, f"{', '.join(sorted(missing))}, on {flight.service_on}")
    flags = track.flags + tuple(coverage(stays, departed_in, arrived_in))
    return Rated(tuple(records(lines, flight.home_currency)), flags)


def zone_of(aerodrome: Aerodrome | None, zones: Zones) -> Zone | None:
    if aerodrome is None or aerodrome.latitude is None or aerodrome.longitude is None:
        return None
    return zones.zone_at(aerodrome.longitude, aerodrome.latitude)


def at_aerodrome(fix: Fix, aerodrome: Aerodrome | None) -> Fix:
    """2019/317 Annex VIII 1.2 measures from the aerodrome of departure and to that of arrival.

    Positions seldom reach the ground, so its reference point stands in for the first or last of them.
    """
    if aerodrome is None or aerodrome.latitude is None or aerodrome.longitude is None:
        return fix
    return Fix(fix.at, aerodrome.latitude, aerodrome.longitude)


def enroute(stay: Segment, zone: Zone, aerodromes: int, mtow_t: Decimal, unit_rate: UnitRate) -> Charge:
    """The line of one stay; `aerodromes` counts the take-off and the landing within it."""
    km = great_circle_km(stay.entry.latitude, stay.entry.longitude, stay.exit.latitude, stay.exit.longitude)
    distance, weight = tariff.distance_factor(km, aerodromes), tariff.weight_factor(mtow_t)
    return Charge(
        zone=zone,
        kind=Kind.ENROUTE,
        entry=stay.entry,
        exit=stay.exit,
        gcd_km=tariff.half_up(Decimal(km), 3),
        deduction_km=tariff.AERODROME_DEDUCTION_KM * aerodromes,
        distance_factor=distance,
        weight_factor=weight,
        service_units=distance * weight,
        unit_rate=unit_rate.rate,
        currency=unit_rate.currency,
        amount=tariff.enroute_amount(distance, weight, unit_rate.rate),
    )


def terminal(zone: Zone, mtow_t: Decimal, unit_rate: UnitRate) -> Charge:
    """The line of one landing or departure; the weight factor is the whole of its service units."""
    assert unit_rate.exponent is not None
    units = tariff.terminal_service_units(mtow_t, unit_rate.exponent)
    return Charge(
        zone=zone,
        kind=Kind.TERMINAL,
        weight_factor=units,
        service_units=units,
        unit_rate=unit_rate.rate,
        currency=unit_rate.currency,
        amount=tariff.terminal_amount(units, unit_rate.rate),
    )


def coverage(stays: list[Segment], departed_in: Zone | None, arrived_in: Zone | None) -> Iterator[str]:
    """A track that does not reach its aerodromes may have missed airspace: somebody should know."""
    if departed_in is not None and stays[0].zone != departed_in:
        yield "track begins outside the zone of departure"
    if arrived_in is not None and stays[-1].zone != arrived_in:
        yield "track ends outside the zone of arrival"


def records(lines: list[Charge], home_currency: str) -> Iterator[Record]:
    """One record per currency, by name; lines that come to nothing are kept as evidence."""
    if not lines:
        yield Record(currency=home_currency, outcome=Outcome.UNCHARGED, reason=OUTSIDE_CHARGED_AIRSPACE)
    for currency in sorted({line.currency for line in lines}):
        own = tuple(line for line in lines if line.currency == currency)
        if any(line.amount for line in own):
            yield Record(currency=currency, outcome=Outcome.CHARGED, charges=own)
        else:
            yield Record(currency=currency, outcome=Outcome.UNCHARGED, reason=nothing_due(own), charges=own)


def nothing_due(lines: Sequence[Charge]) -> str:
    """Why these lines come to nothing."""
    if not any(line.service_units for line in lines):
        return NO_CHARGEABLE_DISTANCE
    return UNDER_HALF_A_CENT if any(line.service_units * line.unit_rate for line in lines) else UNIT_RATE_OF_ZERO
