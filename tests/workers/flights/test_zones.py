from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.flights import plain_python
from tests.workers.flights.builders import box, positions, zones
from workers.flights.sample import Sample, SampleFlight
from workers.flights.zones import NOWHERE, ZoneGeometryError, Zones, unwrap

A, B, C = ("A", box(0, 0, 10, 10)), ("B", box(10, 0, 20, 10)), ("C", box(5, 5, 15, 15))


def ident(among: Zones, longitude: float, latitude: float) -> str | None:
    found = among.region_at(longitude, latitude)
    return None if found == NOWHERE else among.firs[found].ident


def test_a_point_is_in_the_region_that_surrounds_it_and_outside_all_is_nowhere() -> None:
    world = zones(AAAA=A, BBBB=B)
    assert [ident(world, x, 5) for x in (5, 15, 25)] == ["AAAA", "BBBB", None]


def test_a_border_belongs_to_the_first_region_and_so_does_an_overlap() -> None:
    assert ident(zones(AAAA=A, BBBB=B), 10, 5) == "AAAA"
    assert ident(zones(BBBB=C, AAAA=A), 7, 7) == "AAAA"


def test_a_hole_is_outside() -> None:
    holed = {"type": "Polygon", "coordinates": [*box(0, 0, 10, 10)["coordinates"], *box(4, 4, 6, 6)["coordinates"]]}
    assert ident(zones(AAAA=("A", holed)), 5, 5) is None


def test_a_zone_across_the_antimeridian_is_found_from_both_sides() -> None:
    ring = [[170, -10], [-170, -10], [-170, 10], [170, 10], [170, -10]]
    world = zones(NZZO=("NZ", {"type": "Polygon", "coordinates": [ring]}))
    assert [ident(world, x, 0) for x in (175, -175, 180, -180, 165, -165, 0)] == ["NZZO"] * 4 + [None] * 3


def test_a_zone_written_with_longitudes_past_180_is_the_same_zone() -> None:
    world = zones(NZZO=("NZ", box(170, -10, 190, 10)))
    assert [ident(world, x, 0) for x in (175, -175, 165, -165)] == ["NZZO", "NZZO", None, None]


def test_a_zone_around_a_pole_holds_the_pole() -> None:
    ring = [[x, 80.0] for x in (-180, -90, 0, 90, 180)]
    north = zones(ENOB=("EN", {"type": "Polygon", "coordinates": [ring]}))
    assert [ident(north, x, 85) for x in (-179, -1, 0, 91, 180)] == ["ENOB"] * 5
    assert ident(north, 12, 90) == "ENOB"
    assert ident(north, 12, 79) is None


def test_a_region_without_area_is_refused() -> None:
    with pytest.raises(ZoneGeometryError, match="AAAA has a polygon without an area"):
        zones(AAAA=("A", {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [2, 2], [0, 0]]]}))
    with pytest.raises(ZoneGeometryError, match="AAAA has a polygon that is none"):
        zones(AAAA=("A", {"type": "Polygon", "coordinates": [[[0, 0], ["east", 1]]]}))


def test_a_ring_that_crosses_itself_is_repaired() -> None:
    bow_tie = {"type": "Polygon", "coordinates": [[[0, 0], [10, 10], [10, 0], [0, 10], [0, 0]]]}
    assert ident(zones(AAAA=("A", bow_tie)), 8, 5) == "AAAA"


def test_an_ordinary_ring_is_left_as_it_is() -> None:
    ring = box(-10, 0, 10, 10)["coordinates"][0]
    assert unwrap(ring) == [tuple(vertex) for vertex in ring]


@given(st.lists(st.tuples(st.floats(-30, 30), st.floats(-30, 30)), min_size=1, max_size=40))
def test_many_points_at_once_are_classified_as_each_alone(points: list[tuple[float, float]]) -> None:
    world = zones(AAAA=A, BBBB=B, CCCC=C)
    together = world.classify(np.array([p[0] for p in points]), np.array([p[1] for p in points]))
    assert together.tolist() == [world.region_at(*point) for point in points]


def test_every_region_of_the_sample_has_a_zone_and_oceans_are_apart(european_zones: Zones) -> None:
    zone = {fir.ident: fir.zone.code for fir in european_zones.firs}
    assert len(zone) == 58
    assert zone["EDGG"] == zone["EDMM"] == zone["EDWW"] == "ED"
    assert zone["EGTT"] == zone["EGPX"] != zone["EGGX"]
    assert zone["LPPC"] != zone["LPPO"]


def test_real_tracks_are_classified_as_ray_casting_does(
    european_zones: Zones, plain_regions: list[plain_python.Region], sample: Sample, swiss: Sequence[SampleFlight]
) -> None:
    for found in [*sample.featured()[:1], *swiss[::60]]:
        points = positions(found)
        ours = european_zones.classify(np.array([p.longitude for p in points]), np.array([p.latitude for p in points]))
        plain = plain_python.classify([(p.longitude, p.latitude) for p in points], plain_regions)
        assert [None if i == NOWHERE else european_zones.firs[i].ident for i in ours.tolist()] == plain, found.ref
