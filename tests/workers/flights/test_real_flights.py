"""Real tracks from the sample wheel, rated whole."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

import pytest

from tests.workers.flights.builders import codes, positions, sample_flight
from workers.flights.charge import Kind, Outcome, Rated, Unratable
from workers.flights.rates import RateCard
from workers.flights.rating import rate
from workers.flights.sample import Sample, SampleFlight
from workers.flights.segments import segments
from workers.flights.track import clean
from workers.flights.zones import Zones


def test_rome_to_tel_aviv_by_747_pays_four_zones_and_one_landing(
    sample: Sample, european_zones: Zones, european_rates: RateCard
) -> None:
    outcome = rate(*sample_flight(sample.featured()[0], "396.9"), european_zones, european_rates)
    assert isinstance(outcome, Rated)
    assert [(c.zone.code, c.kind, c.deduction_km, c.distance_factor, c.amount) for c in outcome.charges] == [
        ("LI", "ENROUTE", 20, Decimal("7.70"), Decimal("1571.44")),
        ("LG", "ENROUTE", 0, Decimal("10.58"), Decimal("762.00")),
        ("LC", "ENROUTE", 0, Decimal("4.12"), Decimal("393.86")),
        ("LL", "ENROUTE", 20, Decimal("0.68"), Decimal("226.28")),
        ("LL", "TERMINAL", None, None, Decimal("1746.60")),
    ]
    assert {c.weight_factor for c in outcome.charges if c.kind is Kind.ENROUTE} == {Decimal("2.82")}
    assert [(r.currency, r.subtotal) for r in outcome.records] == [
        ("EUR", Decimal("2727.30")), ("ILS", Decimal("1972.88")),
    ]  # fmt: skip


def test_a_flight_that_left_and_came_back_pays_two_segments_at_home(
    sample: Sample, european_zones: Zones, european_rates: RateCard
) -> None:
    outcome = rate(*sample_flight(sample.featured()[1], "79.016"), european_zones, european_rates)
    assert isinstance(outcome, Rated)
    assert codes(outcome.charges) == ["EH", "ED", "EH", "EH"]
    assert [c.deduction_km for c in outcome.charges] == [20, 0, 20, None]


def test_the_swiss_collection_is_1243_flights_of_139098_points(swiss: Sequence[SampleFlight]) -> None:
    assert len(swiss) == len({flight.ref for flight in swiss}) == 1243
    assert sum(len(flight.points) for flight in swiss) == 139_098


def test_every_swiss_flight_is_rated_and_all_pay_but_one_that_stood_at_basel(
    swiss: Sequence[SampleFlight], european_zones: Zones, european_rates: RateCard
) -> None:
    outcomes = {f.callsign: rate(*sample_flight(f, "78.0"), european_zones, european_rates) for f in swiss}
    rated = {callsign: o for callsign, o in outcomes.items() if isinstance(o, Rated)}
    assert len(rated) == len(swiss)
    idle = {c: o.records for c, o in rated.items() if all(r.outcome is not Outcome.CHARGED for r in o.records)}
    assert {c: [r.reason for r in records] for c, records in idle.items()} == {"VLG64MN": ["no chargeable distance"]}
    assert {r.currency for o in rated.values() for r in o.records} == {"CHF", "EUR"}


def test_touching_segments_are_never_of_one_zone(swiss: Sequence[SampleFlight], european_zones: Zones) -> None:
    for found in swiss[::10]:
        stays = segments(clean(positions(found)), european_zones)
        assert all(a.exit == b.entry and a.zone != b.zone for a, b in pairwise(stays)), found.ref


@pytest.mark.parametrize("name", ["ground", "landing", "spoofing", "takeoff", "time_issue"])
def test_noisy_tracks_end_in_a_rating_or_a_reason(
    name: str, sample: Sample, european_zones: Zones, european_rates: RateCard
) -> None:
    found = sample.flight(f"noisy/noisy_{name}")
    facts, points = sample_flight(found, "78.0")
    outcome = rate(facts, points, european_zones, european_rates)
    assert isinstance(outcome, Rated | Unratable)
    if isinstance(outcome, Rated):
        assert any("spikes" in flag for flag in outcome.flags)
    assert positions(found) == points
