"""Real tracks from the sample wheel, rated whole."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest

from tests.workers.flights.builders import codes, positions, sample_flight
from workers.flights.charge import Kind, Outcome, Rated, Unratable
from workers.flights.rates import RateCard
from workers.flights.rating import rate
from workers.flights.sample import Sample, SampleFlight
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


def test_every_swiss_flight_can_be_rated_and_pays_something(
    swiss: Sequence[SampleFlight], european_zones: Zones, european_rates: RateCard
) -> None:
    outcomes = [rate(*sample_flight(flight, "78.0"), european_zones, european_rates) for flight in swiss]
    assert [o for o in outcomes if isinstance(o, Unratable)] == []
    rated = [o for o in outcomes if isinstance(o, Rated)]
    assert all(any(r.outcome is Outcome.CHARGED for r in o.records) for o in rated)
    assert {r.currency for o in rated for r in o.records} == {"CHF", "EUR"}
    for outcome in rated:  # neighbours differ, or their regions would have been merged
        zones = codes([c for c in outcome.charges if c.kind is Kind.ENROUTE])
        segments = sorted(
            (c for c in outcome.charges if c.entry is not None), key=lambda c: c.entry.at if c.entry else 0
        )
        touching = [(a.zone, b.zone) for a, b in zip(segments, segments[1:], strict=False) if a.exit == b.entry]
        assert all(a != b for a, b in touching), zones


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
