"""Rating constructed flights: which charges, which records, and every reason not to."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.flights.builders import SERVICE_ON, box, codes, flight, line, rate_card, track, zones
from workers.flights.charge import Kind, Outcome, Rated, Reason, Unratable
from workers.flights.flight import Aerodrome, Flight, Position
from workers.flights.rates import RateCard
from workers.flights.rating import rate

WORLD = zones(AAAA=("A", box(0, 40, 5, 50)), BBBB=("B", box(5, 40, 10, 50)), CCCC=("C", box(10, 40, 15, 50)))
EUROS = rate_card(
    *[(zone, "ENROUTE", "100.00", "EUR") for zone in "ABC"], *[(zone, "TERMINAL", "200.00", "EUR") for zone in "ABC"]
)
IN_A, IN_B, IN_C = Aerodrome("AAAD", 45.0, 1.0), Aerodrome("BBAD", 45.0, 9.0), Aerodrome("CCAD", 45.0, 14.0)
OVERFLIGHT = line(45, -2, 17)


def rated(found: Flight, points: list[Position] = OVERFLIGHT, rates: RateCard = EUROS) -> Rated:
    outcome = rate(found, points, WORLD, rates)
    assert isinstance(outcome, Rated), str(outcome)
    return outcome


def unratable(found: Flight, points: list[Position] = OVERFLIGHT, rates: RateCard = EUROS) -> Unratable:
    outcome = rate(found, points, WORLD, rates)
    assert isinstance(outcome, Unratable)
    return outcome


def test_an_overflight_is_charged_entry_to_exit_in_each_zone() -> None:
    charges = rated(flight()).charges
    assert codes(charges) == ["A", "B", "C"]
    assert {c.kind for c in charges} == {Kind.ENROUTE}
    # five degrees of longitude at 45° N: 2R asin(cos 45° sin 2.5°) = 393.071 km
    assert [(c.gcd_km, c.distance_factor, c.amount) for c in charges] == [
        (Decimal("393.071"), Decimal("3.93"), Decimal("393.00"))
    ] * 3


def test_take_off_and_landing_take_twenty_km_each_from_their_own_segment() -> None:
    charges = rated(flight(departure=IN_A, arrival=IN_C), line(45, 1, 14)).charges
    assert [c.deduction_km for c in charges if c.kind is Kind.ENROUTE] == [20, 0, 20]
    assert [c.distance_factor for c in charges][:3] == [Decimal("2.94"), Decimal("3.93"), Decimal("2.94")]


def test_a_flight_within_one_zone_deducts_both_and_never_below_zero() -> None:
    (enroute, terminal) = rated(flight(departure=IN_A, arrival=IN_A), line(45, 1, 4)).charges
    assert (enroute.gcd_km, enroute.deduction_km, enroute.amount) == (Decimal("0.000"), 40, Decimal("0.00"))
    assert terminal.kind is Kind.TERMINAL


def test_distance_is_measured_from_the_aerodrome_even_where_the_track_begins_later() -> None:
    late = rated(flight(departure=IN_A), line(45, 3, 17)).charges[0]
    assert late.entry is not None
    assert (late.entry.longitude, late.gcd_km) == (1.0, Decimal("314.475"))


def test_a_track_that_begins_in_the_next_zone_deducts_nothing_and_says_so() -> None:
    outcome = rated(flight(departure=IN_A, arrival=IN_B), line(45, 6, 9))
    assert [c.deduction_km for c in outcome.charges if c.kind is Kind.ENROUTE] == [20]
    assert outcome.flags == ("track begins outside the zone of departure",)


def test_coming_back_to_a_zone_is_charged_again_and_lands_only_once() -> None:
    there_and_back = track((45, 1), (45, 3), (45, 6), (45, 3), (45, 1), every_s=1800)
    charges = rated(flight(departure=IN_A, arrival=IN_A), there_and_back).charges
    assert [(c.zone.code, c.deduction_km) for c in charges if c.kind is Kind.ENROUTE] == [
        ("A", 20),
        ("B", 0),
        ("A", 20),
    ]


def test_terminal_charge_is_once_per_landing_or_departure_as_the_rate_card_says() -> None:
    whole = flight(departure=IN_A, arrival=IN_C, mtow_t=Decimal("78.0"))
    landing = [c for c in rated(whole, line(45, 1, 14)).charges if c.kind is Kind.TERMINAL]
    assert [(c.zone.code, c.service_units, c.amount) for c in landing] == [("C", Decimal("1.37"), Decimal("274.00"))]
    on_departure = rate_card(
        *[(zone, "ENROUTE", "100.00", "EUR") for zone in "ABC"],
        *[(zone, "TERMINAL", "200.00", "EUR") for zone in "ABC"],
        charged_on="DEPARTURE",
    )
    departing = [c for c in rated(whole, line(45, 1, 14), on_departure).charges if c.kind is Kind.TERMINAL]
    assert codes(departing) == ["A"]


def test_each_currency_has_its_own_record() -> None:
    rates = rate_card(("A", "ENROUTE", "100", "EUR"), ("B", "ENROUTE", "80", "GBP"), ("C", "ENROUTE", "90", "EUR"))
    records = rated(flight(), rates=rates).records
    assert [(r.currency, codes(r.charges), r.subtotal) for r in records] == [
        ("EUR", ["A", "C"], Decimal("746.70")), ("GBP", ["B"], Decimal("314.40")),
    ]  # fmt: skip
    assert [r.total(Kind.ENROUTE) for r in records] == [r.subtotal for r in records]


@pytest.mark.parametrize("mtow_t", ["1.99", "0.75"])
def test_a_light_aircraft_is_recorded_as_exempt_in_the_home_currency(mtow_t: str) -> None:
    (record,) = rated(flight(mtow_t=Decimal(mtow_t), home_currency="GBP")).records
    assert (record.currency, record.outcome, record.reason, record.charges) == (
        "GBP", Outcome.EXEMPT, "below 2.0 t", (),
    )  # fmt: skip


def test_an_exempt_flight_needs_neither_track_nor_aircraft() -> None:
    (record,) = rated(flight(flight_rules="V", registration=None, mtow_t=None), []).records
    assert (record.outcome, record.reason) == (Outcome.EXEMPT, "visual flight rules throughout")


def test_a_flight_outside_all_charged_airspace_is_recorded_as_uncharged() -> None:
    (record,) = rated(flight(), line(20, 0, 5)).records
    assert (record.currency, record.outcome, record.reason) == ("EUR", Outcome.UNCHARGED, "outside charged airspace")


def test_a_clipped_corner_that_rounds_to_nothing_is_kept_as_evidence_not_as_a_charge() -> None:
    (record,) = rated(flight(), track((45, -0.004), (45.0, 0.004), (45.004, -0.004), every_s=10)).records
    assert (record.outcome, record.reason) == (Outcome.UNCHARGED, "no chargeable distance")
    assert [c.amount for c in record.charges] == [Decimal("0.00")]


@pytest.mark.parametrize(
    ("unit_rate", "reason"),
    [("0", "unit rate of zero"), ("0.0001", "charges under half a cent"), ("100", None)],
)
def test_a_record_without_an_amount_says_what_came_to_nothing(unit_rate: str, reason: str | None) -> None:
    (record,) = rated(flight(), rates=rate_card(*[(zone, "ENROUTE", unit_rate, "EUR") for zone in "ABC"])).records
    assert (record.reason, len(record.charges)) == (reason, 3)


@pytest.mark.parametrize(
    ("changes", "points", "reason"),
    [
        ({"registration": None, "mtow_t": None}, OVERFLIGHT, Reason.NO_AIRCRAFT),
        ({"mtow_t": None}, OVERFLIGHT, Reason.NO_MTOW),
        ({}, [], Reason.TOO_FEW_POSITIONS),
        ({}, OVERFLIGHT[:1], Reason.TOO_FEW_POSITIONS),
        ({}, [OVERFLIGHT[0]] * 5, Reason.TOO_FEW_POSITIONS),
        ({}, track((45, 1), (-45, 100), (0, -100), (45, 1.1), (10, 10), (-80, 0), every_s=60), Reason.BROKEN_TRACK),
        ({"arrival": Aerodrome("ZZZZ", None, None)}, OVERFLIGHT, Reason.UNKNOWN_AERODROME),
        ({"service_on": date(2019, 1, 1)}, OVERFLIGHT, Reason.NO_UNIT_RATE),
        ({"service_on": date(2017, 12, 31)}, OVERFLIGHT, Reason.NO_UNIT_RATE),
    ],
)  # fmt: skip
def test_what_is_missing_is_a_reason_and_never_a_zero_charge(
    changes: dict[str, Any], points: list[Position], reason: Reason
) -> None:
    assert unratable(flight(**changes), points).reason is reason


def test_every_missing_rate_is_named() -> None:
    rates = rate_card(("B", "ENROUTE", "100", "EUR"))
    outcome = unratable(flight(arrival=IN_C), line(45, -2, 14), rates)
    assert str(outcome) == "no unit rate: en-route, zone A, en-route, zone C, terminal, zone C, on 2018-08-01"


def test_a_world_without_regions_charges_nobody() -> None:
    outcome = rate(flight(), OVERFLIGHT, zones(), EUROS)
    assert isinstance(outcome, Unratable)
    assert outcome.reason is Reason.NO_ZONE_GEOMETRY


def test_the_rate_of_the_service_date_counts_to_the_day() -> None:
    old = [("A", "ENROUTE", "100", "EUR"), ("B", "ENROUTE", "100", "EUR"), ("C", "ENROUTE", "100", "EUR")]
    both = RateCard(
        [
            *[rate_card(r, until=SERVICE_ON).find(r[0], Kind.ENROUTE, date(2018, 7, 31)) for r in old],  # type: ignore[list-item]
            *[rate_card((r[0], r[1], "200", r[3]), since=SERVICE_ON).find(r[0], Kind.ENROUTE, SERVICE_ON) for r in old],  # type: ignore[list-item]
        ]
    )
    assert rated(flight(service_on=date(2018, 7, 31)), rates=both).charges[0].unit_rate == 100
    assert rated(flight(service_on=SERVICE_ON), rates=both).charges[0].unit_rate == 200


@given(st.randoms(use_true_random=False))
def test_the_order_of_positions_changes_nothing(chance: random.Random) -> None:
    assert rated(flight(), chance.sample(OVERFLIGHT, len(OVERFLIGHT))) == rated(flight())


@given(st.decimals("2", "160", places=1), st.floats(-1, 2), st.floats(12, 16))
def test_rating_is_deterministic_and_four_times_the_weight_doubles_the_factor(
    mtow_t: Decimal, west: float, east: float
) -> None:
    points = line(45, west, east)
    light, heavy = rated(flight(mtow_t=mtow_t), points), rated(flight(mtow_t=mtow_t * 4), points)
    assert light == rated(flight(mtow_t=mtow_t), points)
    for a, b in zip(light.charges, heavy.charges, strict=True):
        assert abs(b.weight_factor - 2 * a.weight_factor) <= Decimal("0.01")
        assert a.amount <= b.amount


@given(st.floats(0.1, 4.9), st.floats(0.1, 4.9))
def test_a_longer_way_through_a_zone_never_costs_less(a: float, b: float) -> None:
    short, long = sorted((a, b))
    amounts = [rated(flight(), line(45, -1, east)).records[0].subtotal for east in (short, long)]
    assert amounts[0] <= amounts[1]


def test_two_ratings_with_equal_charges_have_equal_digests_and_others_do_not() -> None:
    first, second = rated(flight()).records[0], rated(flight(id=2)).records[0]
    dearer = rated(flight(mtow_t=Decimal(51))).records[0]
    assert first.digest(1) == second.digest(1)
    assert len({first.digest(1), first.digest(2), dearer.digest(1)}) == 3
