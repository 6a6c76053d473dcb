from __future__ import annotations

import pytest

from tests.workers.flights.builders import START, box, line, track, zones
from workers.flights.flight import Position
from workers.flights.geodesy import great_circle_km
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


def test_touching_a_border_is_not_leaving() -> None:
    """The border belongs to A, the first of the two; a fix on it is no visit."""
    world = zones(AAAA=("A", box(0, 40, 5, 50)), BBBB=("B", box(0, 50, 5, 60)))
    assert stays(track((52, 1), (50, 2.5), (52, 4), every_s=3600), world) == [("B", 1, 4)]
    outside = zones(AAAA=("A", box(0, 40, 5, 50)))
    assert stays(track((51, 4), (50, 5), (49, 6), every_s=3600), outside) == [(None, 4, 6)]


def test_a_track_that_begins_or_ends_on_a_border_is_in_the_zone_it_flies_through() -> None:
    world = zones(AAAA=("A", box(0, 40, 5, 50)), BBBB=("B", box(0, 50, 5, 60)))
    assert stays(track((50, 1), (55, 2), every_s=3600), world) == [("B", 1, 2)]
    assert stays(track((55, 2), (50, 1), every_s=3600), world) == [("B", 2, 1)]


def test_a_fix_on_the_border_that_is_crossed_changes_nothing() -> None:
    over = [(zone, round(a, 6), round(b, 6)) for zone, a, b in stays(track((45, 4), (45, 5), (45, 6), every_s=600))]
    assert over == [("A", 4, 5), ("B", 5, 6)] == stays(track((45, 4), (45, 6), every_s=1200))


def test_standing_still_is_one_stay() -> None:
    assert stays(track((45, 5), (45, 5), (45, 5))) == [("A", 5, 5)]


@pytest.mark.parametrize("gap_km", [0.01, 0.09])
def test_a_sliver_that_two_drawings_of_one_border_leave_between_them_does_not_part_a_zone(gap_km: float) -> None:
    east = 5 + gap_km / 78.6  # km to a degree of longitude at 45° N
    world = zones(AAAA=("A", box(0, 40, 5, 50)), BBBB=("A", box(east, 40, 10, 50)), CCCC=("C", box(10, 40, 15, 50)))
    within = (45.0, (5 + east) / 2)
    assert stays(track((45, 1), within, (46, 9), (46, 12), every_s=3600), world) == [("A", 1, 10), ("C", 10, 12)]


def test_a_real_gap_parts_a_zone() -> None:
    world = zones(AAAA=("A", box(0, 40, 5, 50)), BBBB=("A", box(5.02, 40, 10, 50)))
    assert [zone for zone, _, _ in stays(track((45, 1), (45, 5.01), (45, 9), every_s=3600), world)] == ["A", None, "A"]


def test_a_border_that_ends_at_the_pole_is_crossed_at_the_pole() -> None:
    world = zones(AAAA=("A", box(0, 80, 90, 90)), BBBB=("B", box(-180, 80, 0, 90)))
    a, b = segments(clean(track((85, 45), (85, -135), every_s=7200)), world)
    assert (a.zone and a.zone.code, b.zone and b.zone.code) == ("A", "B")
    assert great_circle_km(a.exit.latitude, a.exit.longitude, 90, 0) < 0.01
