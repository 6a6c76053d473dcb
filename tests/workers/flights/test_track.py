from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.flights.builders import START, line, track
from workers.flights.flight import Position
from workers.flights.geodesy import great_circle_km
from workers.flights.track import MAX_LEG_KM, clean, densify, leg_km

STRAIGHT = line(47.0, 5.0, 10.0)
anything = st.floats(allow_nan=True, allow_infinity=True)


def test_a_clean_track_is_left_as_it_is() -> None:
    found = clean(STRAIGHT)
    assert (found.latitude.tolist(), found.longitude.tolist()) == (
        [p.latitude for p in STRAIGHT],
        [p.longitude for p in STRAIGHT],
    )
    assert found.flags == ()


def test_points_in_any_order_are_the_same_track() -> None:
    shuffled = random.Random(1).sample(STRAIGHT, len(STRAIGHT))
    assert clean(shuffled).longitude.tolist() == clean(STRAIGHT).longitude.tolist()


def test_impossible_positions_are_left_out_and_counted() -> None:
    bad = [Position(START, math.nan, 5), Position(START, 91, 5), Position(START, 5, 181), Position(math.inf, 5, 5)]
    found = clean([*STRAIGHT, *bad])
    assert (len(found), found.flags) == (len(STRAIGHT), ("impossible positions: 4",))


def test_of_two_positions_at_one_time_one_is_kept() -> None:
    found = clean([*STRAIGHT, STRAIGHT[7]._replace(latitude=47.001), STRAIGHT[8]])
    assert (len(found), found.flags) == (len(STRAIGHT), ("repeated timestamps: 2",))


@pytest.mark.parametrize("where", [0, 1, 25, 48, 49])
def test_a_spike_costs_only_itself_wherever_it_is(where: int) -> None:
    points = [*STRAIGHT]
    points[where] = points[where]._replace(latitude=-20.0)
    found = clean(points)
    assert found.flags == ("spikes: 1",)
    assert found.longitude.tolist() == [p.longitude for i, p in enumerate(points) if i != where]


def test_a_silence_of_more_than_half_an_hour_is_flagged_but_flown() -> None:
    found = clean(track((47, 5), (47, 6), (47, 7), every_s=1801))
    assert (len(found), found.flags) == (3, ("gaps over 30 min: 2",))
    assert clean(track((47, 5), (47, 6), every_s=1800)).flags == ()


def test_no_points_make_an_empty_track() -> None:
    assert len(clean([])) == 0
    assert len(densify(clean(STRAIGHT[:1]))) == 1


def test_long_legs_get_points_on_the_great_circle() -> None:
    sparse = clean(track((51.47, -0.46), (49.01, 2.55), every_s=3600))
    dense = densify(sparse)
    assert leg_km(dense).max() <= MAX_LEG_KM + 1e-6
    assert leg_km(dense).sum() == pytest.approx(great_circle_km(51.47, -0.46, 49.01, 2.55))


def test_long_legs_cross_the_antimeridian_and_the_pole_the_short_way() -> None:
    pacific = densify(clean(track((0, 179), (0, -179))))
    assert set(abs(pacific.longitude) >= 179.0 - 1e-9) == {True}
    polar = densify(clean(track((88, 10), (88, -170), every_s=1200)))
    assert polar.latitude.max() > 89.9


@given(st.lists(st.builds(Position, anything, anything, anything), max_size=30))
def test_whatever_comes_in_what_goes_on_is_in_order_and_possible(points: list[Position]) -> None:
    found = clean(points)
    assert (found.at[1:] > found.at[:-1]).all()
    assert all(abs(found.latitude) <= 90)
    assert all(abs(found.longitude) <= 180)


@given(st.permutations(line(47.0, 5.0, 10.0, points=12)), st.integers(0, 11))
def test_the_order_of_points_never_matters_even_with_a_spike(points: list[Position], spike: int) -> None:
    points = [p._replace(latitude=60.0) if i == spike else p for i, p in enumerate(points)]
    assert clean(points).at.tolist() == clean(sorted(points)).at.tolist()
