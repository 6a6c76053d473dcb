from __future__ import annotations

import pytest

from tests.workers.flights.builders import START, box, line, track, zones
from workers.flights.flight import Position
from workers.flights.segments import segments
from workers.flights.track import clean
from workers.flights.zones import Zones

WORLD = zones(AAAA=("A", box(0, 40, 5, 50)), BBBB=("B", box(5, 40, 10, 50)), CCCC=("C", box(12, 40, 15, 50)))


def stays(points: list[Position], world: Zones = WORLD) -> list[tuple[str | None, float, float]]:
    """(zone, entry longitude, exit longitude) of each stay."""
    found = segments(clean(points), world)
    return [(s.zone and s.zone.code, round(s.entry.longitude, 6), round(s.exit.longitude, 6)) for s in found]


def test_a_border_is_found_to_the_millimetre_and_timed_between_the_points() -> None:
    found = segments(clean(track((45, 4.0), (45, 6.0), every_s=1000)), WORLD)
    assert [s.zone and s.zone.code for s in found] == ["A", "B"]
    assert found[0].exit == found[1].entry
    assert found[0].exit.longitude == pytest.approx(5.0, abs=1e-8)
    assert found[0].exit.at == pytest.approx(START + 500, abs=1)


def test_airspace_that_nobody_charges_is_a_stay_of_its_own() -> None:
    assert stays(line(45, -1, 16)) == [
        (None, -1, 0), ("A", 0, 5), ("B", 5, 10), (None, 10, 12), ("C", 12, 15), (None, 15, 16),
    ]  # fmt: skip


def test_a_track_that_begins_and_ends_inside_has_its_own_ends() -> None:
    assert stays(line(45, 1, 4)) == [("A", 1, 4)]


def test_consecutive_regions_of_one_zone_are_one_stay() -> None:
    world = zones(AAAA=("A", box(0, 40, 5, 50)), BBBB=("A", box(5, 40, 10, 50)))
    assert stays(line(45, 1, 9), world) == [("A", 1, 9)]


def test_coming_back_is_a_new_stay() -> None:
    there_and_back = track((45, 4), (45, 6), (45, 4.5), every_s=1000)
    assert [zone for zone, _, _ in stays(there_and_back)] == ["A", "B", "A"]


def test_a_leg_over_a_whole_zone_and_a_gap_misses_neither() -> None:
    assert [zone for zone, _, _ in stays(track((45, 4), (45, 14), every_s=3600))] == [
        "A", "B", None, "C",
    ]  # fmt: skip


def test_a_narrow_zone_between_two_points_is_not_stepped_over() -> None:
    world = zones(AAAA=("A", box(0, 40, 5, 50)), BBBB=("B", box(5, 40, 5.02, 50)), CCCC=("C", box(5.02, 40, 9, 50)))
    points = track((45, 4.99), (45, 5.03), every_s=60)  # 3 km: one leg, 1.6 km of it in B
    assert [zone for zone, _, _ in stays(points, world)] == ["A", "B", "C"]


def test_an_overlap_belongs_to_the_first_region_in_both_directions() -> None:
    world = zones(AAAA=("A", box(0, 40, 6, 50)), BBBB=("B", box(5, 40, 10, 50)))
    east, west = line(45, 1, 9), line(45, 9, 1)
    assert stays(east, world) == [("A", 1, 6), ("B", 6, 9)]
    assert stays(west, world) == [("B", 9, 6), ("A", 6, 1)]


def test_across_the_antimeridian_a_zone_is_one_stay() -> None:
    world = zones(NZZO=("NZ", box(170, 40, 190, 50)))
    found = stays(track((45, 168), (45, 172), (45, 178), (45, -178), (45, -172), (45, -168), every_s=3600), world)
    assert [(zone, round(a, 3), round(b, 3)) for zone, a, b in found] == [
        (None, 168, 170), ("NZ", 170, -170), (None, -170, -168),
    ]  # fmt: skip


def test_over_the_pole_is_one_stay() -> None:
    ring = [[x, 80.0] for x in (-180, -90, 0, 90, 180)]
    world = zones(ENOB=("EN", {"type": "Polygon", "coordinates": [ring]}))
    found = stays(track((78, 0), (82, 0), (88, 0), (88, 180), (82, 180), (78, 180), every_s=3600), world)
    assert [zone for zone, _, _ in found] == [None, "EN", None]
